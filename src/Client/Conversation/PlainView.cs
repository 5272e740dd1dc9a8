using ChordChat.Client.Terminal;

namespace ChordChat.Client.Conversation;

/// <summary>Lines without colours or prompts, for input that does not come from a terminal.</summary>
internal sealed class PlainView(TextWriter output) : IConsoleView
{
    public bool IsTypedAt => false;

    public int Print(StyledLine line, Mark? mark = null)
    {
        output.WriteLine(line.ToString());
        output.Flush();
        return 0;
    }

    public bool Rewrite(int handle, string text, Style style) => false;

    public void SetPrompt(StyledLine prompt)
    {
    }

    public bool AskSecret(string prompt, Action<string> answer) => false;
}
