namespace ChordChat.Tests.Checkers;

/// <summary>A call to a register.</summary>
public abstract record RegisterCall
{
    private RegisterCall() { }

    /// <summary>Answers the value.</summary>
    public sealed record Read : RegisterCall;

    /// <summary>Sets the value to <paramref name="Value"/> and answers that.</summary>
    public sealed record Write(string Value) : RegisterCall;

    /// <summary>Sets the value to <paramref name="Value"/> if it is <paramref name="Expected"/> (null: if there is none
    /// yet); answers the value after that, whosever it is.</summary>
    public sealed record CompareAndSet(string? Expected, string Value) : RegisterCall;

    /// <summary>Adds an entry at the end of the value, which is a list with blanks between, and answers the
    /// list.</summary>
    public sealed record Append(string Entry) : RegisterCall;
}

/// <summary>A register that begins without a value, written as "".</summary>
public sealed class RegisterModel : SequentialModel<string, RegisterCall, string>
{
    public override string Initial => "";

    public override (string Next, string Answer) Apply(string state, RegisterCall asked)
    {
        var next = asked switch
        {
            RegisterCall.Write write => write.Value,
            RegisterCall.CompareAndSet change => state == (change.Expected ?? "") ? change.Value : state,
            RegisterCall.Append append => state.Length == 0 ? append.Entry : $"{state} {append.Entry}",
            _ => state,
        };
        return (next, next);
    }

    public override bool OnlyReads(Operation<RegisterCall, string> operation) =>
        operation.Call is RegisterCall.Read || (operation.IsAnswered
            && operation.Call is RegisterCall.CompareAndSet change && change.Value != operation.Answer);

    public override bool Agrees(string expected, string? answered) => expected == (answered ?? "");
}
