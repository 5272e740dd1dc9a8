namespace ChordChat.Tests.Checkers;

/// <summary>What an object does when it is called by one client at a time.</summary>
/// <remarks>States are compared by value: two equal ones have the same future.</remarks>
public abstract class SequentialModel<TState, TCall, TAnswer> where TState : notnull
{
    public abstract TState Initial { get; }

    /// <summary>The state after the call, and what the object answers. Defined for every state and call.</summary>
    public abstract (TState Next, TAnswer Answer) Apply(TState state, TCall asked);

    /// <summary>Whether this call, answered as it was, changes no state in any order.</summary>
    public virtual bool OnlyReads(Operation<TCall, TAnswer> operation) => false;

    /// <summary>Whether a client that was answered this saw what the model says.</summary>
    public virtual bool Agrees(TAnswer expected, TAnswer? answered) =>
        EqualityComparer<TAnswer>.Default.Equals(expected, answered);
}
