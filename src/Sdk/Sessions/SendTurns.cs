using ChordChat.Sdk.Messages;
using ChordChat.Wire;

namespace ChordChat.Sdk.Sessions;

/// <summary>Whose sealed messages go next over one session: each recipient's in their order, and nobody waits for
/// another one whose messages are not answered.</summary>
/// <remarks>Safe for threads.</remarks>
internal sealed class SendTurns(Outbox outbox)
{
    /// <summary>Messages under way; nodes take no more before they have answered some.</summary>
    public const int InFlightMax = 256;

    /// <summary>Of one recipient.</summary>
    public const int PerPeerMax = 128;

    /// <summary>Of a recipient whose messages no majority keeps now.</summary>
    public const int PerSlowPeerMax = 8;

    private sealed class Chat
    {
        public long SentUpTo { get; set; }

        public HashSet<string> InFlight { get; } = [];

        public bool IsSlow { get; set; }

        public int Room => (IsSlow ? PerSlowPeerMax : PerPeerMax) - InFlight.Count;
    }

    private readonly Lock _turn = new();
    private readonly Dictionary<string, Chat> _chats = [];
    private readonly Dictionary<string, Chat> _inFlight = [];
    private string _last = "";

    /// <summary>Takes the next messages, each once, until <see cref="Again"/>.</summary>
    /// <param name="bytesMax">Sealed bytes; one message more at most.</param>
    public List<Send> Take(int countMax, int bytesMax)
    {
        var sends = new List<Send>();
        lock (_turn)
        {
            var peers = outbox.PeersSealed();
            var first = Math.Max(0, peers.FindIndex(peer => string.CompareOrdinal(peer, _last) > 0));
            for (var i = 0; i < peers.Count && bytesMax > 0; i++)
            {
                _last = peers[(first + i) % peers.Count];
                bytesMax -= Take(_last, Math.Min(countMax, InFlightMax) - sends.Count, bytesMax, sends);
            }
        }

        return sends;
    }

    /// <summary>A node has said what became of these.</summary>
    public void Answered(IEnumerable<SendOutcome> outcomes)
    {
        lock (_turn)
            foreach (var outcome in outcomes)
            {
                var id = Convert.ToHexStringLower(outcome.Id.Span);
                if (!_inFlight.Remove(id, out var chat))
                    continue;
                chat.InFlight.Remove(id);
                chat.IsSlow = outcome.State == SendOutcome.Types.State.Queued;
            }
    }

    /// <summary>What is still in the outbox is to be handed in once more.</summary>
    public void Again()
    {
        lock (_turn)
            foreach (var chat in _chats.Values)
                chat.SentUpTo = 0;
    }

    /// <returns>How many bytes were taken.</returns>
    private int Take(string peer, int countMax, int bytesMax, List<Send> sends)
    {
        if (!_chats.TryGetValue(peer, out var chat))
            _chats[peer] = chat = new Chat();
        var count = Math.Min(Math.Min(countMax, chat.Room), InFlightMax - _inFlight.Count);
        if (count <= 0)
            return 0;
        var bytes = 0;
        foreach (var (position, send) in outbox.Sealed(peer, chat.SentUpTo, count))
        {
            if (bytes >= bytesMax)
                break;
            bytes += send.Envelope.Length;
            sends.Add(send);
            chat.SentUpTo = position;
            var id = Convert.ToHexStringLower(send.Id.Span);
            chat.InFlight.Add(id);
            _inFlight[id] = chat;
        }

        return bytes;
    }
}
