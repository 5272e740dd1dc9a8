using ChordChat.Client.Terminal;

namespace ChordChat.Client.Conversation;

/// <summary>Lines without colours or prompts, for input or output that is no terminal.</summary>
internal sealed class PlainView(Action<StyledLine> print) : IConsoleView
{
    public bool IsTypedAt => false;

    public int Print(StyledLine line, Mark? mark = null)
    {
        print(line);
        return 0;
    }

    public bool Rewrite(int handle, string text, Style style) => false;

    public void SetPrompt(StyledLine prompt)
    {
    }

    public bool AskSecret(string prompt, Action<string> answer) => false;
}
