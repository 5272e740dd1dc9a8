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
    public static History Of(Profiles.UnlockedProfile me) =>
        new(me.Store, new MessageTable(me.User, me.Key), new ChangeSignal());

    /// <summary>The last messages with somebody, in the order that both sides see: docs/e2e.md, One order for
    /// both.</summary>
    public IReadOnlyList<ChatMessage> With(string peer, int count = int.MaxValue) =>
        _store.Read(db => _messages.History(db, peer, count));

    /// <summary>Messages that came and were never shown, in the order in which to show them.</summary>
    public IReadOnlyList<ChatMessage> Unread(int count = 1000) => _store.Read(db => _messages.Unread(db, count));

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

    /// <summary>Takes unread messages: each is given to one caller only, even among several processes.</summary>
    public IReadOnlyList<ChatMessage> TakeUnread(int count) => _store.Write(db =>
    {
        var unread = _messages.Unread(db, count);
        foreach (var message in unread)
            MessageTable.MarkShown(db, message.Id, tellSender: false);
        return unread;
    });

    internal void MarkShown(IEnumerable<string> ids, bool tellSender) => _store.Write(db =>
    {
        foreach (var id in ids)
            MessageTable.MarkShown(db, id, tellSender);
    });
}
