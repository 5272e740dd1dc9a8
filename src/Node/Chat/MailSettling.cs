using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Sets;
using ChordChat.Node.Tiles;

namespace ChordChat.Node.Chat;

/// <summary>Removes what a client has from its mailbox: all that gathers while one removal is under way goes into the
/// next.</summary>
internal sealed class MailSettling(SetKey mailbox, IMessageSets sets, CancellationToken lifetime)
{
    private const int WaitingMax = 16_384;
    private const int BatchMax = SetAcknowledge.IdsMax;

    private readonly Lock _turn = new();
    private List<MessageId> _waiting = [];
    private bool _isRunning;

    /// <summary>The last removal did not reach a majority; the session's keeper tries again.</summary>
    public bool IsDue { get; private set; }

    /// <summary>Nothing is removed: it is not proved yet that the client is who it says.</summary>
    public bool IsHeld { get; set; }

    /// <summary>Takes note of acknowledgements. Past the bound they are dropped: the messages are pushed again at the
    /// next session, and acknowledged again.</summary>
    public void Add(IReadOnlyList<MessageId> ids)
    {
        if (ids.Count == 0)
            return;
        lock (_turn)
            if (_waiting.Count + ids.Count <= WaitingMax)
                _waiting.AddRange(ids);
        Start();
    }

    public void Start()
    {
        lock (_turn)
        {
            IsDue = false;
            if (_isRunning || IsHeld || _waiting.Count == 0)
                return;
            _isRunning = true;
        }

        _ = RunAsync();
    }

    private async Task RunAsync()
    {
        while (Next() is { } batch)
            if (!await TryAsync(batch))
            {
                GiveBack(batch);
                return;
            }
    }

    private async Task<bool> TryAsync(List<MessageId> batch)
    {
        try
        {
            return await sets.AcknowledgeAsync(mailbox, batch, lifetime);
        }
        catch (Exception)
        {
            return false; // The session is over, and what is left is pushed again; or its keeper tries again.
        }
    }

    private List<MessageId>? Next()
    {
        lock (_turn)
        {
            if (_waiting.Count == 0)
            {
                _isRunning = false;
                return null;
            }

            if (_waiting.Count <= BatchMax)
            {
                var all = _waiting;
                _waiting = [];
                return all;
            }

            var batch = _waiting.GetRange(0, BatchMax);
            _waiting.RemoveRange(0, BatchMax);
            return batch;
        }
    }

    private void GiveBack(List<MessageId> batch)
    {
        lock (_turn)
        {
            _waiting.InsertRange(0, batch);
            _isRunning = false;
            IsDue = true;
        }
    }
}
