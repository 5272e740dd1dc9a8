namespace ChordChat.Tests.Checkers;

/// <summary>What somebody wants of a name; the answer is its owner after that, or null.</summary>
public abstract record NameCall
{
    private NameCall() { }

    /// <summary>Creates the name for an owner, whom no other call names.</summary>
    public sealed record Claim(string Owner) : NameCall;

    /// <summary>Asks whose it is; null if it is nobody's.</summary>
    public sealed record Ask : NameCall;
}
