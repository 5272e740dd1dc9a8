using ChordChat.Client.Terminal;
using ChordChat.Sdk;

namespace ChordChat.Client.Conversation;

/// <summary>What is asked of nodes beside the console's loop; the loop prints the answers.</summary>
internal sealed class Questions(IConsoleView view, Action<Task<Action>> later)
{
    /// <param name="act">Calls what it is given when it is done, if there may still be something to show.</param>
    /// <param name="undone">What to say if it is never done; null where nothing is lost.</param>
    /// <param name="otherwise">Done instead if nobody could be found.</param>
    private sealed class Intent(Action<Action> act, string? undone, Action? otherwise = null)
    {
        public Action<Action> Act => act;
        public string? Undone => undone;
        public Action? Otherwise => otherwise;
        public bool IsDone { get; set; }
    }

    private readonly List<string> _undone = [];
    private readonly Dictionary<string, List<Intent>> _lookups = []; // By the name that nodes are asked for.
    private long _interruptions;
    private bool _isStopped;

    /// <summary>The line that was typed last.</summary>
    public string Line { get; set; } = "";

    /// <summary>What is to be done after an answer that has not come yet: what to say if it never is.</summary>
    public IReadOnlyList<string> Undone => _undone;

    /// <summary>Whether something is still to be done after an answer.</summary>
    public bool IsWaiting => !_isStopped && _undone.Count > 0;

    /// <summary>Whether a question, or what was to be done after its answer, has failed.</summary>
    public bool HasFailed { get; private set; }

    /// <summary>Answers that come from now on are too late.</summary>
    public void Stop() => _isStopped = true;

    /// <summary>Something else was printed: an answer that comes now does not follow its question.</summary>
    public void Interrupt() => _interruptions++;

    /// <summary>Asks. An answer that does not follow its question names it: during an outage several may wait, and come
    /// at once.</summary>
    /// <param name="what">What is answered, if not the line that was typed.</param>
    /// <param name="then">Done after a good answer; what it throws is printed.</param>
    /// <param name="otherwise">Done after a failure.</param>
    public void Ask(
        Func<Task<IReadOnlyList<StyledLine>>> question, string? what = null, Action? then = null,
        Action? otherwise = null)
    {
        var askedAt = _interruptions;
        var named = Transcript.AnswerTo(what ?? Line);
        later(AskAsync());

        async Task<Action> AskAsync()
        {
            try
            {
                var lines = await question();
                return () => Settle(lines, then);
            }
            catch (ChordChatException cause)
            {
                return () =>
                {
                    HasFailed = true;
                    Settle([Transcript.Problem(cause)], otherwise);
                };
            }
        }

        void Settle(IReadOnlyList<StyledLine> lines, Action? next)
        {
            if (_isStopped)
                return;
            if (lines.Count > 0 && _interruptions != askedAt)
                view.Print(named);
            view.PrintAll(lines);
            if (next is not null)
                Try(next);
        }
    }

    /// <summary>What was true when the question was asked may no longer be true. As with a line that was just typed,
    /// that ends nothing.</summary>
    private bool Try(Action act)
    {
        try
        {
            act();
            return true;
        }
        catch (ChordChatException cause)
        {
            HasFailed = true;
            view.Print(Transcript.Problem(cause));
            return false;
        }
    }

    /// <summary>Whether nodes are being asked for somebody, so that what is typed for them has to wait its
    /// turn.</summary>
    public bool IsLookingUp(string user) => _lookups.ContainsKey(user);

    /// <summary>Does something about somebody once nodes have shown their keys. What is wanted of the same person
    /// meanwhile waits for the same answer, and is done in the order in which it was typed.</summary>
    /// <param name="what">What is answered, if not the line that was typed.</param>
    /// <param name="undone">What to say when it is not done: after a failure, or at the console's end.</param>
    /// <param name="otherwise">Done if they were not found.</param>
    public void OnceFound(
        ChatClient client, string user, Action<Action> act, string? what = null, string? undone = null,
        Action? otherwise = null)
    {
        if (undone is not null)
            _undone.Add(undone);
        var intent = new Intent(act, undone, otherwise);
        if (_lookups.TryGetValue(user, out var others))
        {
            others.Add(intent);
            return;
        }

        var intents = _lookups[user] = [intent];
        Ask(
            async () =>
            {
                await client.People.CheckExistsAsync(user);
                return [];
            },
            what,
            then: () => End(Do),
            otherwise: () => End(intent =>
            {
                intent.Otherwise?.Invoke();
                SayUndone(intent);
            }));

        void End(Action<Intent> settle)
        {
            _lookups.Remove(user);
            intents.ForEach(settle);
        }
    }

    /// <summary>Does something about somebody, unless nodes say that nobody has this name. Who is known here, or whom
    /// nobody can look up now, is not asked for.</summary>
    /// <param name="undone">What to say when it is not done.</param>
    public void UnlessNobody(ChatClient client, string user, Action act, string undone)
    {
        client.CheckRecipient(user);
        if (client.Node is null || client.People.KeysOf(user) is not null)
        {
            act();
            return;
        }

        _undone.Add(undone);
        var intent = new Intent(_ => act(), undone);
        var isNobody = false;
        Ask(
            async () => (isNobody = await client.People.IsNobodyAsync(user)) ? [Answers.Nobody(user)] : [],
            then: () =>
            {
                if (isNobody)
                    SayUndone(intent);
                else
                    Do(intent);
            },
            otherwise: () => SayUndone(intent));
    }

    private void Do(Intent intent)
    {
        if (Try(() => intent.Act(IsDone)))
            IsDone();
        else if (!intent.IsDone)
            SayUndone(intent);

        void IsDone()
        {
            if (!intent.IsDone && intent.Undone is { } undone)
                _undone.Remove(undone); // Of two that say the same one is left.
            intent.IsDone = true;
        }
    }

    /// <summary>What was typed and is not done is named: nothing is lost without a word. If it cannot be printed, it is
    /// still among what is undone.</summary>
    private void SayUndone(Intent intent)
    {
        if (intent.Undone is not { } undone)
            return;
        HasFailed = true;
        view.Print(Transcript.Note(undone, Style.Warning));
        _undone.Remove(undone);
    }
}
