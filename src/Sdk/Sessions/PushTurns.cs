using ChordChat.Crypto;
using ChordChat.Crypto.Messages;
using ChordChat.Wire;

namespace ChordChat.Sdk.Sessions;

/// <summary>Mail that was pushed and not looked at yet: each chat in turn, each in its order, so that much mail of one
/// sender delays nobody else's.</summary>
/// <remarks>A chat whose share is full takes nothing more until it has been emptied and its mail was asked for again,
/// so that nothing is missing in the middle. Safe for threads; the lock is a leaf.</remarks>
internal sealed class PushTurns
{
    /// <summary>Messages of one chat.</summary>
    public const int PerChatMax = 4096;

    /// <summary>Sealed bytes of one chat.</summary>
    public const int PerChatBytesMax = 8 << 20;

    /// <summary>Sealed bytes in all.</summary>
    public const int BytesMax = 32 << 20;

    /// <summary>Chats with a queue of their own. While there are more, the rest share one, and what it holds keeps its
    /// order.</summary>
    public const int ChatsMax = 4096;

    /// <summary>Counted for each message beside its sealed bytes: a node may push many small ones.</summary>
    private const int OverheadBytes = 256;

    private static readonly Digest Rest = Digest.FromBytes([.. Enumerable.Repeat<byte>(0xff, Digest.Bytes)]);

    private sealed class Chat
    {
        public Queue<Push> Pushes { get; } = [];

        public long Bytes { get; set; }

        public bool IsCut { get; set; }
    }

    private readonly Lock _turn = new();
    private readonly Dictionary<Digest, Chat> _chats = [];
    private readonly Queue<Digest> _next = []; // Of chats that have something, each once.
    private long _bytes;
    private ulong? _readWhole;

    public void Add(Push push)
    {
        var key = EnvelopeHeader.ConversationOf(push.Envelope.Span) ?? default;
        var bytes = BytesOf(push);
        lock (_turn)
        {
            if (!_chats.ContainsKey(key) && (_chats.Count >= ChatsMax || _chats.ContainsKey(Rest)))
                key = Rest;
            if (!_chats.TryGetValue(key, out var chat))
                _chats[key] = chat = new Chat();
            chat.IsCut |= chat.Pushes.Count >= PerChatMax || chat.Bytes + bytes > PerChatBytesMax
                || _bytes + bytes > BytesMax;
            if (chat.IsCut)
                return;
            if (chat.Pushes.Count == 0)
                _next.Enqueue(key);
            chat.Pushes.Enqueue(push);
            chat.Bytes += bytes;
            _bytes += bytes;
        }
    }

    /// <summary>Takes the next messages, one of each chat in turn.</summary>
    public List<Push> Take(int countMax)
    {
        var taken = new List<Push>();
        lock (_turn)
            while (taken.Count < countMax && _next.TryDequeue(out var key))
            {
                var chat = _chats[key];
                var push = chat.Pushes.Dequeue();
                chat.Bytes -= BytesOf(push);
                _bytes -= BytesOf(push);
                taken.Add(push);
                if (chat.Pushes.Count > 0)
                    _next.Enqueue(key);
                else if (!chat.IsCut)
                    _chats.Remove(key);
            }

        return taken;
    }

    /// <summary>All that a reading of the mailbox brings has been added.</summary>
    /// <param name="reading">The newest that was asked for before it began.</param>
    public void CaughtUp(ulong reading)
    {
        lock (_turn)
            _readWhole = reading;
    }

    /// <summary>The reading that has ended, once, when all that it brought was taken; null before.</summary>
    public ulong? TakeReading()
    {
        lock (_turn)
        {
            if (_next.Count > 0)
                return null;
            var reading = _readWhole;
            _readWhole = null;
            return reading;
        }
    }

    /// <summary>Whether mail of this chat waits here, or more of it than its share holds is left in the mailbox.
    /// </summary>
    public bool Has(Digest chat)
    {
        lock (_turn)
            return _chats.ContainsKey(chat) || _chats.ContainsKey(Rest);
    }

    /// <summary>The chats of which there was more than their shares hold, so that the mailbox must be read again;
    /// shares are open again then. None before all was taken.</summary>
    /// <returns>Null stands for chats that shared a queue.</returns>
    public IReadOnlyList<Digest?> TakeCut()
    {
        lock (_turn)
        {
            if (_next.Count > 0)
                return [];
            Digest?[] cut = [.. _chats.Keys.Select(chat => chat == Rest ? (Digest?)null : chat)];
            _chats.Clear();
            return cut;
        }
    }

    private static int BytesOf(Push push) => OverheadBytes + push.Envelope.Length;
}
