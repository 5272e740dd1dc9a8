using ChordChat.Client.Commands;
using ChordChat.Client.Terminal;
using ChordChat.Sdk;
using ChordChat.Sdk.Messages;

namespace ChordChat.Client.Conversation;

/// <summary>The chat as a person has it in front of them: which chat is open, what was shown, what is unread.</summary>
/// <remarks>One loop calls this, so nothing here needs a lock. Questions to nodes run beside it and print when
/// answered.
/// </remarks>
/// <param name="passwordAtHand">For logging in anew without asking; null as a rule.</param>
internal sealed class ConsoleChat(
    ChatClient client, IConsoleView view, Action<Task<Action>> later, string? passwordAtHand)
{
    /// <summary>Unread messages shown at once.</summary>
    private const int PageMax = 1000;

    private readonly CopiedProfile _copied = new(client, view, later, passwordAtHand);
    private readonly RequestBell _bell = new(client, "/");
    private readonly OwnLines _own = new(view, client.User);
    private readonly ConnectionLines _connection = new(view);
    private readonly Questions _questions = new(view, later);
    private readonly ReadMarks _read = new(client, view);
    private readonly Dictionary<string, int> _unread = [];
    private readonly HashSet<string> _shown = []; // Of messages to us.
    private readonly HashSet<string> _hasMore = [];
    private string? _open;

    /// <summary>Whether the session has ended by itself and only waits to be left.</summary>
    public bool IsOver { get; private set; }

    /// <summary>Set when the chat is to be left: the exit code.</summary>
    public int? Finished { get; private set; }

    /// <summary>What was typed and is not done yet, because nodes are still asked for somebody: what to say if it never
    /// is.</summary>
    public IReadOnlyList<string> Undone => _questions.Undone;

    /// <inheritdoc cref="Questions.IsWaiting"/>
    public bool IsWaiting => _questions.IsWaiting;

    public IEnumerable<string> Names => client.History.Chats().Select(chat => chat.Peer)
        .Concat(client.History.Requests().Select(request => request.From)).Concat(_met).Distinct();

    private readonly SortedSet<string> _met = [];

    /// <summary>Shows what came while nobody looked.</summary>
    public void Start()
    {
        foreach (var message in client.History.Unread(PageMax))
            Show(message);
        foreach (var (user, unread) in client.History.Chats().Where(chat => chat.Unread > 0))
            if (unread - _unread.GetValueOrDefault(user) is var more and > 0)
                SayMore(user, more, unread);
        if (client.History.Unsent() is { Count: > 0 } unsent)
            view.Print(Transcript.Unsent(unsent, isLoggedIn: true));
        if (client.UnsentTexts is var waiting and > 0)
            view.Print(Transcript.Waiting(waiting));
        SayWhoAsks();
        Prompt();
    }

    private void SayWhoAsks()
    {
        foreach (var line in _bell.All())
            view.Print(Transcript.Note(line));
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

    public void On(ClientEvent happened)
    {
        if (happened is not ClientEvent.Changed)
            _questions.Interrupt();
        switch (happened)
        {
            case ClientEvent.Connected connected: _connection.Begin(connected); break;
            case ClientEvent.Disconnected: _connection.End(); break;
            case ClientEvent.Searching searching: _connection.Search(searching.Reason); break;
            case ClientEvent.Arrived(var message):
                Show(message);
                break;
            case ClientEvent.SentBeside(var message): _own.Print(message); break;
            case ClientEvent.Changed(var message):
                _own.Update(message);
                _connection.Judge(message);
                break;
            case ClientEvent.LeftOut:
                LookAgain();
                _own.UpdateAll(client.History);
                break;
            case ClientEvent.CircleHeard: LookAgain(); break;
            case ClientEvent.KeysChanged changed:
                view.Print(Transcript.KeysChanged(changed));
                break;
            case ClientEvent.Copied copied: _copied.Renew(copied); break;
            case ClientEvent.Notice(var text):
                view.Print(Transcript.Note(Printable.Of(text), Style.Warning));
                break;
            case ClientEvent.Ended(var reason):
                view.Print(Transcript.Problem(reason));
                End();
                break;
        }

        Prompt();
    }

    /// <summary>Not at once where somebody types: the rest of the line would be the shell's next command.</summary>
    private void End()
    {
        if (Finished is not null)
            return;
        IsOver = true;
        _questions.Stop(); // What they would store would go out long after it was typed, or never.
        view.StopAsking();
        if (view.IsTypedAt)
            view.Print(Transcript.Note("press Enter to leave; what you type now is not sent", Style.Warning));
        else
            Finished = 1;
    }

    /// <param name="isPasted">It is several pasted lines: never a command.</param>
    public void OnLine(string line, bool isPasted = false)
    {
        if (IsOver)
        {
            Finished ??= 1;
            return;
        }

        _questions.Interrupt();
        _questions.Line = line;
        try
        {
            Run(isPasted ? CommandParser.ParsePasted(line) : CommandParser.Parse(line, _open));
        }
        catch (ChordChatException cause)
        {
            view.Print(Transcript.Problem(cause));
        }

        Prompt();
    }

    private void Run(ConsoleCommand command)
    {
        switch (command)
        {
            case ConsoleCommand.Say(var text) when _open is { } user: Send(user, text); break;
            case ConsoleCommand.Say:
                view.Print(Transcript.Note("no chat is open: open one with /chat <user> first"));
                break;
            case ConsoleCommand.Message(var user, var text): Send(user, text); break;
            case ConsoleCommand.OpenChat(var user): Open(user); break;
            case ConsoleCommand.History(var count): ShowHistory(count); break;
            case ConsoleCommand.Who:
                _questions.Ask(async () => Answers.Who(await client.Lookup.WhoAsync(), user => _met.Add(user)));
                break;
            case ConsoleCommand.Status(var user):
                _questions.Ask(async () => Answers.Status(await client.Lookup.StatusAsync(user)));
                break;
            case ConsoleCommand.Where(var user):
                _questions.Ask(async () => Answers.Where(await client.Lookup.WhereAsync(user)));
                break;
            case ConsoleCommand.Verify(var user, var confirmed):
                _questions.Ask(async () => await Answers.VerifyAsync(client.People, user, confirmed));
                break;
            case ConsoleCommand.Resend: Resend(); break;
            case ConsoleCommand.Accept(var user): Accept(user); break;
            case ConsoleCommand.Requests(var on): Requests(on); break;
            case ConsoleCommand.Block(var user):
                _questions.UnlessNobody(client, user, () => Block(user), $"{user} was not blocked");
                break;
            case ConsoleCommand.Unblock(var user):
                view.Print(Transcript.Unblocked(user, client.Circle.Unblock(user)));
                break;
            case ConsoleCommand.Blocked: view.Print(Answers.Blocked(client.Circle.Blocked)); break;
            case ConsoleCommand.Help: view.PrintAll(Answers.Help()); break;
            case ConsoleCommand.LogOut:
                _questions.Stop(); // What they would store would go out from the next device.
                var left = client.ForgetDevice();
                view.Print(Transcript.LoggedOut(isGone: left is not null));
                if (left > 0)
                    view.Print(Transcript.Unsent(client.History.Unsent(), isLoggedIn: false));
                Finished = 0;
                break;
            case ConsoleCommand.Quit: Finished = 0; break;
            case ConsoleCommand.Misunderstood(var problem): view.Print(Transcript.Note(problem)); break;
        }
    }

    /// <summary>Checks the name first, so that a typing error leaves nothing in the history.</summary>
    private void Send(string user, string text)
    {
        client.CheckRecipient(user);
        MessageLimits.Encode(text);
        if (client.People.KeysOf(user) is not null && !client.People.HasNewIdentity(user))
            Store(user, text);
        else
            IfExists(
                user, () => Store(user, text), $"your message to {user}",
                undone: $"your message to {user} was not stored and is not sent: {text}");
    }

    private void IfExists(string user, Action then, string? what = null, string? undone = null) => _questions.Ask(
        async () =>
        {
            await client.People.CheckExistsAsync(user);
            return [];
        },
        what, then, undone);

    private void Block(string user)
    {
        client.Circle.Block(user);
        _unread.Remove(user);
        _hasMore.Remove(user);
        var wasOpen = _open == user;
        if (wasOpen) // Or the next line would go there.
            _open = null;
        view.Print(Transcript.Note(
            $"{user} is blocked{(wasOpen ? " and the chat with them is closed" : "")}; /unblock {user} undoes it"));
    }

    private void Requests(bool? on)
    {
        if (on is not { } wait)
        {
            view.PrintAll(Answers.Requests(client.History.Requests(), client.Circle.RequestsWait));
            return;
        }

        client.Circle.RequestsWait = wait;
        view.Print(Transcript.Note(Answers.RequestsWait(wait)));
        LookAgain();
    }

    private void Accept(string user)
    {
        client.CheckRecipient(user);
        if (client.History.HasRequest(user))
        {
            client.Circle.Accept(user);
            OpenKnown(user);
        }
        else if (client.People.HasNewIdentity(user))
        {
            client.People.AcceptIdentity(user);
            view.Print(Transcript.Note(
                $"the new identity of {user} is accepted; /verify {user} shows the safety number"));
        }
        else
            _questions.UnlessNobody(
                client, user,
                () =>
                {
                    client.Circle.Accept(user);
                    view.Print(Transcript.Note($"messages from {user} are now shown as they arrive"));
                },
                $"{user} was not accepted");
    }

    private void Store(string user, string text)
    {
        client.People.MarkSeen(user);
        var waited = client.History.HasRequest(user);
        var message = client.History.Find(client.Send(user, text))!;
        if (waited) // To write to somebody is to accept them.
            LookAgain();
        if (_open is null)
            OpenKnown(user);
        _own.Print(message);
        Prompt();
    }

    private void Resend()
    {
        var unsent = client.History.Unsent();
        client.SendAgain(unsent.Select(message => message.Id));
        foreach (var message in unsent)
            _own.Print(client.History.Find(message.Id)!);
        if (unsent.Count == 0)
            view.Print(Transcript.Note("nothing is left unsent"));
    }

    /// <summary>Shows what was not announced. Reads only chats in which there is something, and a page of each: their
    /// texts must be decrypted.</summary>
    private void LookAgain()
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
        var shown = user == _open ? page.Count : _unread.GetValueOrDefault(user);
        if (unread > shown)
            SayMore(user, unread - shown, unread);
    }

    private void Show(ChatMessage message)
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
        var open = message.From == _open;
        view.Print(Transcript.Line(message, client.User, unread: !open));
        if (open)
            _read.Add([message]);
        else
            _unread[message.From] = _unread.GetValueOrDefault(message.From) + 1;
    }

    private void Open(string user)
    {
        client.CheckRecipient(user);
        if (client.History.HasRequest(user))
            client.Circle.Accept(user);
        if (client.History.Chats().Any(chat => chat.Peer == user) || client.People.KeysOf(user) is not null)
            OpenKnown(user);
        else
            IfExists(user, () => OpenKnown(user));
    }

    private void OpenKnown(string user)
    {
        _open = user;
        _unread.Remove(user);
        _hasMore.Remove(user);
        var unread = _read.NextOf(user, PageMax);
        foreach (var message in unread.Where(message => !_shown.Contains(message.Id)))
            Show(message);
        _read.Add(unread);
        if (_read.Without(user, client.History.UnreadCount(user)) is var more and > 0)
            SayMore(user, more, more);
        view.Print(Transcript.Note($"chat with {user}; /history shows what was said"));
        Prompt();
    }

    private void ShowHistory(int count)
    {
        if (_open is not { } user)
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

    private void SayMissing(ChatMessage message) =>
        view.PrintAll(Transcript.Missing(message).Select(line => Transcript.Note(line, Style.Warning)));

    private void Prompt() =>
        view.SetPrompt(Transcript.Prompt(_connection.IsUp, _unread, _open is { } to ? $"to {to}" : client.User));
}
