using ChordChat.Client.Terminal;
using ChordChat.Sdk;

namespace ChordChat.Client.Conversation;

/// <summary>What is asked of nodes beside the console's loop; the loop prints the answers.</summary>
internal sealed class Questions(IConsoleView view, Action<Task<Action>> later)
{
    private long _interruptions;

    /// <summary>The line that was typed last.</summary>
    public string Line { get; set; } = "";

    /// <summary>Something else was printed: an answer that comes now does not follow its question.</summary>
    public void Interrupt() => _interruptions++;

    /// <summary>Asks. An answer that does not follow its question names it: during an outage several may wait, and come
    /// at once.</summary>
    /// <param name="what">What is answered, if not the line that was typed.</param>
    /// <param name="then">Done after a good answer; what it throws is printed.</param>
    public void Ask(Func<Task<IReadOnlyList<StyledLine>>> question, string? what = null, Action? then = null)
    {
        var askedAt = _interruptions;
        var named = Transcript.AnswerTo(what ?? Line);
        later(AskAsync());

        async Task<Action> AskAsync()
        {
            try
            {
                var lines = await question();
                return () =>
                {
                    Answer(lines);
                    Then();
                };
            }
            catch (ChordChatException cause)
            {
                return () => Answer([Transcript.Problem(cause)]);
            }
        }

        // What was true when the question was asked may no longer be true. As with a line that was just typed, that
        // ends nothing.
        void Then()
        {
            try
            {
                then?.Invoke();
            }
            catch (ChordChatException cause)
            {
                Answer([Transcript.Problem(cause)]);
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
    public void UnlessNobody(ChatClient client, string user, Action act)
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
            });
    }
}
