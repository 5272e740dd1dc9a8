namespace ChordChat.Tests.Checkers;

/// <summary>One call by one client, from its begin to its return.</summary>
/// <param name="client">Who called; only for the text of a fault.</param>
/// <param name="key">The object that was called; objects are judged one by one.</param>
/// <param name="invoked">When it began, by a clock that all operations of a history share.</param>
public sealed class Operation<TCall, TAnswer>(string client, string key, TCall call, TimeSpan invoked)
{
    public string Client => client;
    public string Key => key;
    public TCall Call => call;
    public TimeSpan Invoked => invoked;

    /// <summary>When it returned; the end of time while it has not, or when nobody knows whether it took
    /// effect.</summary>
    public TimeSpan Returned { get; private set; } = TimeSpan.MaxValue;

    public Outcome Outcome { get; private set; }

    /// <summary>What it was answered; means something for <see cref="Outcome.Ok"/> and <see cref="Outcome.Refused"/>
    /// only.</summary>
    public TAnswer? Answer { get; private set; }

    /// <summary>Whether what it was answered binds the object.</summary>
    public bool IsAnswered => Outcome is Outcome.Ok or Outcome.Refused;

    /// <summary>Ends it. An unknown outcome leaves it open for ever.</summary>
    public Operation<TCall, TAnswer> Return(Outcome outcome, TAnswer? answer, TimeSpan now)
    {
        (Outcome, Answer) = (outcome, answer);
        Returned = outcome == Outcome.Unknown ? TimeSpan.MaxValue : now;
        return this;
    }

    public override string ToString() =>
        $"[{invoked.TotalSeconds:0.000} {(Returned == TimeSpan.MaxValue ? "..." : $"{Returned.TotalSeconds:0.000}")}] "
        + $"{client} {call} -> {(IsAnswered ? $"{Outcome} {Answer}" : $"{Outcome}")}";
}
