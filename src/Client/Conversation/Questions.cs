using ChordChat.Client.Terminal;
using ChordChat.Sdk;

namespace ChordChat.Client.Conversation;

/// <summary>What is asked of nodes beside the console's loop; the loop prints the answers.</summary>
internal sealed class Questions(IConsoleView view, Action<Task<Action>> later)
{
    private readonly List<string> _undone = [];
    private long _interruptions;
    private bool _isStopped;

    /// <summary>The line that was typed last.</summary>
    public string Line { get; set; } = "";

    /// <summary>What is to be done after an answer that has not come yet: what to say if it never is.</summary>
    public IReadOnlyList<string> Undone => _undone;

    /// <summary>Whether something is still to be done after an answer.</summary>
    public bool IsWaiting => !_isStopped && _undone.Count > 0;

    /// <summary>Answers that come from now on are too late.</summary>
    public void Stop() => _isStopped = true;

    /// <summary>Something else was printed: an answer that comes now does not follow its question.</summary>
    public void Interrupt() => _interruptions++;

    /// <summary>Asks. An answer that does not follow its question names it: during an outage several may wait, and come
    /// at once.</summary>
    /// <param name="what">What is answered, if not the line that was typed.</param>
    /// <param name="then">Done after a good answer; what it throws is printed.</param>
    /// <param name="undone">What to say when the console ends before that.</param>
    public void Ask(
        Func<Task<IReadOnlyList<StyledLine>>> question, string? what = null, Action? then = null,
        string? undone = null)
    {
        var askedAt = _interruptions;
        if (undone is not null)
            _undone.Add(undone);
        var named = Transcript.AnswerTo(what ?? Line);
        later(AskAsync());

        async Task<Action> AskAsync()
        {
            try
            {
                var lines = await question();
                return () => Settle(lines, Then);
            }
            catch (ChordChatException cause)
            {
                return () => Settle([Transcript.Problem(cause)], () => true);
            }
        }

        void Settle(IReadOnlyList<StyledLine> lines, Func<bool> next)
        {
            if (_isStopped)
                return;
            Answer(lines);
            if (next() && undone is not null)
                _undone.Remove(undone); // Of two that say the same one is left.
        }

        // What was true when the question was asked may no longer be true. As with a line that was just typed, that
        // ends nothing.
        bool Then()
        {
            try
            {
                then?.Invoke();
                return true;
            }
            catch (ChordChatException cause)
            {
                Answer([Transcript.Problem(cause)]);
                return false;
            }
        }

        void Answer(IReadOnlyList<StyledLine> lines)
        {
            if (lines.Count > 0 && _interruptions != askedAt)
                view.Print(named);
            view.PrintAll(lines);
        }
    }

    /// <summary>Does something about somebody, unless nodes say that nobody has this name. Who is known here, or whom
    /// nobody can look up now, is not asked for.</summary>
    /// <param name="undone">What to say when the console ends before that.</param>
    public void UnlessNobody(ChatClient client, string user, Action act, string undone)
    {
        client.CheckRecipient(user);
        if (client.Node is null || client.People.KeysOf(user) is not null)
        {
            act();
            return;
        }

        var isNobody = false;
        Ask(
            async () => (isNobody = await client.People.IsNobodyAsync(user)) ? [Answers.Nobody(user)] : [],
            then: () =>
            {
                if (!isNobody)
                    act();
            },
            undone: undone);
    }
}
