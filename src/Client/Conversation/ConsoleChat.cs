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
    private readonly CopiedProfile _copied = new(client, view, later, passwordAtHand);
    private readonly OwnLines _own = new(view, client.User);
    private readonly ConnectionLines _connection = new(view);
    private readonly Questions _questions = new(view, later);
    private readonly ShownMessages _shown = new(client, view);
    private bool _isLookingUp; // The person of the open chat: nodes are asked for their keys.
    private int _turns; // How often another chat was opened, or this one closed.
    private bool _hasMistakes;
    private bool _isLoggedOut;

    /// <summary>Whether the session has ended by itself and only waits to be left.</summary>
    public bool IsOver { get; private set; }

    /// <summary>Set when the chat is to be left: the exit code.</summary>
    public int? Finished { get; private set; }

    /// <summary>What was typed and is not done yet, because nodes are still asked for somebody: what to say if it never
    /// is.</summary>
    public IReadOnlyList<string> Undone => _questions.Undone;

    /// <inheritdoc cref="Questions.IsWaiting"/>
    public bool IsWaiting => _questions.IsWaiting;

    /// <summary>Whether something that was typed could not be done.</summary>
    public bool HasFailed => _hasMistakes || _questions.HasFailed || Undone.Count > 0;

    /// <summary>Why what is still undone will not be done.</summary>
    public string WhyUndone => IsOver ? "the session has ended"
        : _isLoggedOut ? "you have logged out" : "no node has answered in time";

    /// <summary>Messages that were typed here and go no further, and whether the screen says so.</summary>
    public IReadOnlyList<(ChatMessage Message, bool IsSaid)> FailedMessages() =>
        [.. _own.Failed(client.History).Select(message => (message, _isLoggedOut || _own.IsSaid(message)))];

    public IEnumerable<string> Names => client.History.Chats().Select(chat => chat.Peer)
        .Concat(client.History.Requests().Select(request => request.From)).Concat(_met).Distinct();

    private readonly SortedSet<string> _met = [];

    /// <summary>Shows what came while nobody looked.</summary>
    public void Start()
    {
        _shown.ShowUnread();
        if (client.History.Unsent() is { Count: > 0 } unsent)
            view.Print(Transcript.Unsent(unsent, isLoggedIn: true));
        if (client.UnsentTexts is var waiting and > 0)
            view.Print(Transcript.Waiting(waiting));
        _shown.SayWhoAsks();
        Prompt();
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
                _shown.Show(message);
                break;
            case ClientEvent.SentBeside(var message): _own.Print(message); break;
            case ClientEvent.Changed(var message):
                _own.Update(message);
                _connection.Judge(message);
                break;
            case ClientEvent.LeftOut:
                _shown.LookAgain();
                _own.UpdateAll(client.History);
                break;
            case ClientEvent.CircleHeard: _shown.LookAgain(); break;
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
            Run(isPasted ? CommandParser.ParsePasted(line) : CommandParser.Parse(line, _shown.Open));
        }
        catch (ChordChatException cause)
        {
            _hasMistakes = true;
            view.Print(Transcript.Problem(cause));
        }

        Prompt();
    }

    private void Mistake(string problem)
    {
        _hasMistakes = true;
        view.Print(Transcript.Note(problem));
    }

    private void Run(ConsoleCommand command)
    {
        switch (command)
        {
            case ConsoleCommand.Say(var text) when _shown.Open is { } user: Send(user, text); break;
            case ConsoleCommand.Say(var text):
                Mistake($"no chat is open, so this was not sent: {Printable.Of(text)}; open one with /chat <user>");
                break;
            case ConsoleCommand.Message(var user, var text): Send(user, text); break;
            case ConsoleCommand.OpenChat(var user): Open(user); break;
            case ConsoleCommand.History(var count): _shown.ShowHistory(count); break;
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
                var left = client.ForgetDevice();
                _questions.Stop(); // What they would store would go out from the next device.
                _isLoggedOut = left is not null;
                view.Print(Transcript.LoggedOut(isGone: left is not null));
                if (left > 0)
                    view.Print(Transcript.Unsent(client.History.Unsent(), isLoggedIn: false));
                Finished = 0;
                break;
            case ConsoleCommand.Quit: Finished = 0; break;
            case ConsoleCommand.Misunderstood(var problem): Mistake(problem); break;
        }
    }

    /// <summary>Checks the name first, so that a typing error leaves nothing in the history.</summary>
    private void Send(string user, string text)
    {
        client.CheckRecipient(user);
        MessageLimits.Encode(text);
        var opens = _shown.Open is null ? _turns : -1;
        if (client.People.KeysOf(user) is not null && !client.People.HasNewIdentity(user)
            && !_questions.IsLookingUp(user)) // Or this text would overtake one that waits.
            Store(user, text, opens, static () => { });
        else
            _questions.OnceFound(
                client, user, isDone => Store(user, text, opens, isDone), $"your message to {user}",
                undone: $"your message to {user} was not stored and is not sent: {text}");
    }

    private void Block(string user)
    {
        client.Circle.Block(user);
        _shown.Forget(user);
        var wasOpen = _shown.Open == user;
        if (wasOpen) // Or the next line would go there.
            Close();
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
        _shown.LookAgain();
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

    /// <param name="opens">Opens the chat if no other one was opened or closed since.</param>
    /// <param name="isDone">Told once it is stored, whether or not that can be shown.</param>
    private void Store(string user, string text, int opens, Action isDone)
    {
        client.People.MarkSeen(user);
        var waited = client.History.HasRequest(user);
        var message = client.History.Find(client.Send(user, text))!;
        isDone();
        if (waited) // To write to somebody is to accept them.
            _shown.LookAgain();
        if (opens == _turns)
            OpenKnown(user);
        _own.PrintTyped(message);
        Prompt();
    }

    private void Resend()
    {
        var unsent = client.History.Unsent();
        client.SendAgain(unsent.Select(message => message.Id));
        foreach (var message in unsent)
            _own.PrintTyped(client.History.Find(message.Id)!);
        if (unsent.Count == 0)
            view.Print(Transcript.Note("nothing is left unsent"));
    }

    /// <summary>What is typed from now on goes there, or nowhere: never to the chat that was open before.</summary>
    private void Open(string user)
    {
        Close();
        if (user.Length == 0)
        {
            Mistake("usage: /chat <user>; no chat is open now");
            return;
        }

        client.CheckRecipient(user);
        if (client.History.HasRequest(user) || client.People.KeysOf(user) is not null
            || client.History.Chats().Any(chat => chat.Peer == user))
        {
            OpenKnown(user);
            return;
        }

        Turn(user, isLookedUp: true);
        _questions.OnceFound(client, user, _ => OpenFound(user), otherwise: () => CloseUnknown(user));
    }

    private void OpenFound(string user)
    {
        if (_isLookingUp && _shown.Open == user)
            OpenKnown(user);
    }

    private void CloseUnknown(string user)
    {
        if (!_isLookingUp || _shown.Open != user)
            return;
        Close();
        view.Print(Transcript.Note("no chat is open now"));
        Prompt();
    }

    private void OpenKnown(string user)
    {
        Turn(user, isLookedUp: false);
        if (client.History.HasRequest(user)) // To look is not to accept.
            view.Print(Transcript.Note(
                $"{user} has asked to chat with you: /accept {user} shows the messages, as does what you write to "
                + "them"));
        else
        {
            _shown.ShowUnreadOf(user);
            view.Print(Transcript.Note($"chat with {user}; /history shows what was said"));
        }

        Prompt();
    }

    /// <summary>Then what is typed goes nowhere.</summary>
    public void Close() => Turn(null, isLookedUp: false);

    /// <param name="isLookedUp">Whether the chat opens only if nodes show their keys.</param>
    private void Turn(string? user, bool isLookedUp) =>
        (_shown.Open, _isLookingUp, _turns) = (user, isLookedUp, _turns + 1);

    private void Prompt() => view.SetPrompt(Transcript.Prompt(
        _connection.IsUp, _shown.UnreadCounts,
        _shown.Open is not { } to ? client.User : _isLookingUp ? $"to {to} (looking them up)" : $"to {to}"));
}
