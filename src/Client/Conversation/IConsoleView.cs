using ChordChat.Client.Terminal;

namespace ChordChat.Client.Conversation;

/// <summary>Where the chat is shown: a terminal with an input row, or plain lines.</summary>
internal interface IConsoleView
{
    /// <summary>Whether somebody may be typing there just now.</summary>
    bool IsTypedAt { get; }

    /// <returns>A handle for <see cref="Rewrite"/>.</returns>
    int Print(StyledLine line, Mark? mark = null);

    void PrintAll(IEnumerable<StyledLine> lines)
    {
        foreach (var line in lines)
            Print(line);
    }

    /// <summary>Does something once all that was printed so far is written; never if it cannot be written.</summary>
    void WhenShown(Action then) => then();

    /// <returns>False if that line cannot be changed any more.</returns>
    bool Rewrite(int handle, string text, Style style);

    void SetPrompt(StyledLine prompt);

    /// <summary>Asks for something that is not shown while it is typed.</summary>
    /// <param name="answer">Gets it; an empty text when nothing is to be said.</param>
    /// <returns>False where nobody can be asked.</returns>
    bool AskSecret(string prompt, Action<string> answer);

    /// <summary>Nobody wants the answer to such a question any more.</summary>
    void StopAsking()
    {
    }
}
