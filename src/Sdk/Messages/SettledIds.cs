using Google.Protobuf;

namespace ChordChat.Sdk.Messages;

/// <summary>Ids that the mailbox need not offer again, each once, until a session tells them to its node.</summary>
/// <remarks>A node may push without end what is here already and read nothing. Beyond <see cref="Max"/> ids no more are
/// taken in: the mailbox has those messages still and offers them again, to be settled then. Safe for threads; the lock
/// is a leaf.</remarks>
internal sealed class SettledIds
{
    /// <summary>As many as a mailbox holds, four times.</summary>
    public const int Max = 40_000;

    /// <summary>About 180 KiB.</summary>
    public const int PerFrameMax = 10_000;

    private readonly HashSet<ByteString> _ids = [];
    private readonly Lock _turn = new();

    public int Count
    {
        get
        {
            lock (_turn)
                return _ids.Count;
        }
    }

    public void Add(ByteString id)
    {
        lock (_turn)
            if (_ids.Count < Max)
                _ids.Add(id);
    }

    /// <summary>Takes as many as go into one frame.</summary>
    public IReadOnlyList<ByteString> Take()
    {
        lock (_turn)
        {
            ByteString[] taken = [.. _ids.Take(PerFrameMax)];
            _ids.ExceptWith(taken);
            return taken;
        }
    }
}
