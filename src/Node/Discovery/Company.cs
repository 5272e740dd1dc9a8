namespace ChordChat.Node.Discovery;

/// <summary>Whether this node is alone. The ring knows and says so; until it has, nodes heard of count.</summary>
internal sealed class Company
{
    private const int NotSaidYet = -1;
    private int _others = NotSaidYet;
    private int _heard;

    /// <summary>Nobody else is in the ring with us, as far as anybody has said.</summary>
    public bool IsAlone =>
        Volatile.Read(ref _others) is var others && (others == NotSaidYet ? Volatile.Read(ref _heard) : others) == 0;

    /// <summary>Called by the ring when the number of other live members it knows has changed.</summary>
    public void Report(int others) => Volatile.Write(ref _others, others);

    /// <summary>A beacon of our own cluster came.</summary>
    public void Heard() => Interlocked.Exchange(ref _heard, 1);
}
