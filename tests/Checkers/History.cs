namespace ChordChat.Tests.Checkers;

/// <summary>All calls to objects of one kind, as their clients saw them. May be written by many threads at
/// once.</summary>
public sealed class History<TCall, TAnswer>
{
    private readonly Lock _turn = new();
    private readonly List<Operation<TCall, TAnswer>> _operations = [];

    /// <summary>A copy of what there is now, in the order of the begins.</summary>
    public IReadOnlyList<Operation<TCall, TAnswer>> Operations
    {
        get
        {
            lock (_turn)
                return [.. _operations];
        }
    }

    /// <summary>Writes a call down before it is made; the caller ends it by its
    /// <see cref="Operation{TCall, TAnswer}.Return"/>.</summary>
    public Operation<TCall, TAnswer> Begin(string client, string key, TCall call, TimeSpan now)
    {
        var operation = new Operation<TCall, TAnswer>(client, key, call, now);
        lock (_turn)
            _operations.Add(operation);
        return operation;
    }

    /// <summary>Judges every object by itself. Returns the first fault in words, or null.</summary>
    public string? Fault<TState>(SequentialModel<TState, TCall, TAnswer> model) where TState : notnull =>
        Operations.GroupBy(operation => operation.Key, StringComparer.Ordinal)
            .Select(one => Linearizability.Fault(model, [.. one]))
            .FirstOrDefault(fault => fault is not null);
}
