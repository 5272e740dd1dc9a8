using ChordChat.Client.Terminal;
using ChordChat.Sdk;
using ChordChat.Sdk.Messages;

namespace ChordChat.Client.Conversation;

/// <summary>The messages of others on the screen: each once, a page at a time, and what of them is unread.</summary>
internal sealed class ShownMessages(ChatClient client, IConsoleView view)
{
    /// <summary>Unread messages shown at once.</summary>
    private const int PageMax = 1000;

    private readonly RequestBell _bell = new(client, "/");
    private readonly ReadMarks _read = new(client, view);
    private readonly Dictionary<string, int> _unread = [];
    private readonly HashSet<string> _shown = []; // By id.
    private readonly HashSet<string> _hasMore = [];

    /// <summary>Whose chat is open: the next line goes there, and what is shown of it is read.</summary>
    public string? Open { get; set; }

    /// <summary>How many messages of each person are unread.</summary>
    public IEnumerable<KeyValuePair<string, int>> UnreadCounts => _unread;

    /// <summary>Shows what came while nobody looked.</summary>
    public void ShowUnread()
    {
        foreach (var message in client.History.Unread(PageMax))
            Show(message);
        foreach (var (user, unread) in client.History.Chats().Where(chat => chat.Unread > 0))
            if (unread - _unread.GetValueOrDefault(user) is var more and > 0)
                SayMore(user, more, unread);
    }

    /// <summary>Shows what is unread of a chat that has just been opened.</summary>
    public void ShowUnreadOf(string user)
    {
        Forget(user);
        var unread = _read.NextOf(user, PageMax);
        foreach (var message in unread.Where(message => !_shown.Contains(message.Id)))
            Show(message);
        _read.Add(unread);
        if (_read.Without(user, client.History.UnreadCount(user)) is var more and > 0)
            SayMore(user, more, more);
    }

    /// <summary>Nothing of theirs counts as unread any more.</summary>
    public void Forget(string user)
    {
        _unread.Remove(user);
        _hasMore.Remove(user);
    }

    /// <summary>Shows what was not announced. Reads only chats in which there is something, and a page of each: their
    /// texts must be decrypted.</summary>
    public void LookAgain()
    {
        foreach (var (user, unread) in client.History.Chats()
            .Select(chat => (chat.Peer, Unread: _read.Without(chat.Peer, chat.Unread)))
            .Where(chat => chat.Unread > _unread.GetValueOrDefault(chat.Peer)))
            if (_hasMore.Contains(user))
                _unread[user] = unread;
            else
                ShowPage(user, unread);
        SayWhoAsks();
    }

    private void ShowPage(string user, int unread)
    {
        var page = _read.NextOf(user, PageMax);
        foreach (var message in page)
            Show(message);
        var shown = user == Open ? page.Count : _unread.GetValueOrDefault(user);
        if (unread > shown)
            SayMore(user, unread - shown, unread);
    }

    public void Show(ChatMessage message)
    {
        if (message.IsRequest && client.History.HasRequest(message.From))
        {
            if (_bell.Of(message.From) is { } line)
                view.Print(Transcript.Note(line));
            return;
        }

        if (_hasMore.Contains(message.From))
        {
            _unread[message.From] = _unread.GetValueOrDefault(message.From) + 1;
            return;
        }

        // The store and the session may both tell of what came while this started.
        if (!_shown.Add(message.Id))
            return;
        SayMissing(message);
        var open = message.From == Open;
        view.Print(Transcript.Line(message, client.User, unread: !open));
        if (open)
            _read.Add([message]);
        else
            _unread[message.From] = _unread.GetValueOrDefault(message.From) + 1;
    }

    public void SayWhoAsks()
    {
        foreach (var line in _bell.All())
            view.Print(Transcript.Note(line));
    }

    public void ShowHistory(int count)
    {
        if (Open is not { } user)
        {
            view.PrintAll(Answers.Chats(client.History.Chats()));
            return;
        }

        var messages = client.History.With(user, count);
        foreach (var message in messages)
        {
            SayMissing(message);
            view.Print(Transcript.Line(message, client.User, unread: false));
        }

        if (messages.Count == 0)
            view.Print(Transcript.Note($"this machine has no messages with {user} yet"));
    }

    /// <summary>Says that there is more unread than was shown; it is shown in its order, so what comes now
    /// waits.</summary>
    private void SayMore(string user, int more, int unread)
    {
        _hasMore.Add(user);
        _unread[user] = unread;
        view.Print(Transcript.Note(
            $"{more:N0} more unread messages from {user}; /chat {user} shows the next", Style.Warning));
    }

    private void SayMissing(ChatMessage message) =>
        view.PrintAll(Transcript.Missing(message).Select(line => Transcript.Note(line, Style.Warning)));
}
