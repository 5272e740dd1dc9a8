using ChordChat.Sdk.Profiles;
using ChordChat.Sdk.Sessions;
using ChordChat.Sdk.Storage;

namespace ChordChat.Sdk.Messages;

/// <summary>The messages on this machine. Everything here works without a node.</summary>
public sealed class History
{
    private readonly LocalStore _store;
    private readonly MessageTable _messages;
    private readonly ChangeSignal _changed;

    internal History(LocalStore store, MessageTable messages, ChangeSignal changed) =>
        (_store, _messages, _changed) = (store, messages, changed);

    /// <summary>Opens the history of a profile without connecting to anything.</summary>
    public static History Of(UnlockedProfile me) =>
        new(me.Store, new MessageTable(me.User, me.Key), new ChangeSignal());

    /// <summary>The last messages with somebody, in the order that both sides see: docs/e2e.md, One order for
    /// both.</summary>
    public IReadOnlyList<ChatMessage> With(string peer, int count = int.MaxValue)
    {
        if (_store.Read(db => ChatOrder.IsDue(db, peer)))
            try
            {
                _store.WriteSoon(db => ChatOrder.Renew(db, peer));
            }
            catch (ChordChatException cause) when (cause.Code is "profile_not_writable" or "profile_busy")
            {
                // It is shown in the order that it has; the next reader tries again.
            }

        return _store.Read(db => _messages.History(db, peer, count));
    }

    /// <summary>Messages that came and were never shown, in the order in which to show them.</summary>
    /// <param name="withRequests">Also those of people who wait to be accepted.</param>
    public IReadOnlyList<ChatMessage> Unread(int count = 1000, bool withRequests = false) =>
        _store.Read(db => _messages.Unread(db, count, withRequests, readSince: null));

    /// <summary>People to whom this user never wrote and whose messages wait, who asked first first: docs/e2e.md,
    /// Receiving.</summary>
    public IReadOnlyList<ChatRequest> Requests() => _store.Read(_messages.Requests);

    /// <summary>Whether messages of somebody wait for this user to accept them.</summary>
    public bool HasRequest(string peer) => _store.Read(db => MessageTable.HasRequest(db, peer));

    /// <summary>As <see cref="Unread"/>, of one sender only, accepted or not.</summary>
    public IReadOnlyList<ChatMessage> UnreadOf(string peer, int count) =>
        _store.Read(db => _messages.UnreadOf(db, peer, count));

    /// <summary>Everybody there is a message with, the newest chat first.</summary>
    public IReadOnlyList<(string Peer, int Unread)> Chats() => _store.Read(MessageTable.Chats);

    /// <summary>Messages of ours that were never sent because their device was replaced, oldest first.</summary>
    public IReadOnlyList<ChatMessage> Unsent() => _store.Read(_messages.Unsent);

    public ChatMessage? Find(string id) => _store.Read(db => _messages.Find(db, id));

    /// <summary>Waits until a message of ours has come as far as <paramref name="state"/>, or is refused.</summary>
    /// <returns>The message as it is then, or as it is when the time is over.</returns>
    public Task<ChatMessage> WaitAsync(
        string id, MessageState state, TimeSpan timeout, CancellationToken cancellation = default) =>
        WaitAsync(id, message => message.State >= state, timeout, cancellation);

    /// <summary>Waits until <paramref name="enough"/> holds of a message.</summary>
    /// <returns>The message as it is then, or as it is when the time is over.</returns>
    public async Task<ChatMessage> WaitAsync(
        string id, Func<ChatMessage, bool> enough, TimeSpan timeout, CancellationToken cancellation = default)
    {
        var until = Environment.TickCount64 + (long)timeout.TotalMilliseconds;
        while (true)
        {
            var next = _changed.Next;
            var message = Find(id) ?? throw new ArgumentException("no such message", nameof(id));
            var left = until - Environment.TickCount64;
            if (enough(message) || left <= 0)
                return message;
            await Task.WhenAny(next, Task.Delay(TimeSpan.FromMilliseconds(left), cancellation));
            cancellation.ThrowIfCancellationRequested();
        }
    }

    /// <summary>Completes when anything has changed. Take it before looking.</summary>
    public Task NextChange => _changed.Next;

    /// <summary>Shows unread messages, each once, even among several processes: each is marked after it was shown and
    /// before the next one is.</summary>
    /// <param name="show">Returns when a person can see the message. What it throws ends the showing; then the message
    /// stays unread. <c>Again</c>: an earlier process ended between showing it and marking it.</param>
    /// <param name="withRequests">Also those of people who wait to be accepted.</param>
    /// <param name="readSince">Also those that a person has read after this <see cref="BeginPrinting"/>.</param>
    /// <returns>How many were shown; null while another process is showing some.</returns>
    public int? ShowUnread(
        int count, Action<ChatMessage, bool> show, bool withRequests = false, long? readSince = null) =>
        Show(() => _store.Read(db => _messages.Unread(db, count, withRequests, readSince)), show);

    /// <summary>From now on a program prints also what a person reads first; what an earlier program had still to print
    /// when it was killed is part of that.</summary>
    public long BeginPrinting() => _store.Write(ShownTable.BeginPrinting);

    /// <summary>What a person reads from now on need not be printed. What one has read meanwhile and no program has
    /// printed is left to the next one.</summary>
    /// <param name="since">What <see cref="BeginPrinting"/> gave.</param>
    public void EndPrinting(long since) => _store.Write(db => ShownTable.EndPrinting(db, since));

    /// <summary>As <see cref="ShowUnread"/>, of one sender only.</summary>
    public int? ShowUnreadOf(string peer, int count, Action<ChatMessage, bool> show) =>
        Show(() => UnreadOf(peer, count), show);

    private int? Show(Func<IReadOnlyList<ChatMessage>> find, Action<ChatMessage, bool> show)
    {
        using var turn = new SessionLease(_store.Folder, SessionLease.ShowingFileName);
        if (!turn.TryTake())
            return null;
        var unread = find();
        if (unread.Count == 0)
            return 0;
        var before = _store.Read(ShownTable.InHand);
        string? shown = null;
        try
        {
            foreach (var message in unread)
            {
                // Not yet forced to the disk: it need only outlive this process, and is forced at the end.
                _store.WriteSoon(db => ShownTable.Advance(db, shown, message.Id));
                show(message, message.Id == before);
                shown = message.Id;
            }
        }
        finally
        {
            _store.Write(db => ShownTable.Advance(db, shown, null));
        }

        return unread.Count;
    }

    /// <summary>As many of somebody's messages as nobody has seen.</summary>
    public int UnreadCount(string peer) => _store.Read(db => MessageTable.UnreadCount(db, peer));

    internal void MarkRead(IEnumerable<string> ids) => _store.Write(db =>
    {
        var number = ShownTable.NextReading(db);
        foreach (var id in ids)
            MessageTable.MarkRead(db, id, number);
    });
}
