using ChordChat.Client.Terminal;
using ChordChat.Sdk.Messages;

namespace ChordChat.Client.Conversation;

/// <summary>The lines of this user's own messages, whose states change.</summary>
internal sealed class OwnLines(IConsoleView view, string me)
{
    private readonly Dictionary<string, (int Handle, string State)> _printed = [];
    private readonly HashSet<string> _typed = []; // By id; others come from other programs of this profile.

    public void Print(ChatMessage message) => _printed[message.Id] = (
        view.Print(Transcript.Line(message, me, unread: false), Transcript.StateField),
        Transcript.State(message).Text);

    /// <summary>Prints one that was typed here.</summary>
    public void PrintTyped(ChatMessage message)
    {
        _typed.Add(message.Id);
        Print(message);
    }

    /// <summary>Those that were typed here and go no further: refused, or left behind by a device that was
    /// replaced.</summary>
    public IReadOnlyList<ChatMessage> Failed(History history) =>
        [.. _typed.Select(history.Find).OfType<ChatMessage>()
            .Where(message => message.State is MessageState.Refused or MessageState.Unsent)];

    /// <summary>Whether its line says what has become of it.</summary>
    public bool IsSaid(ChatMessage message) =>
        _printed.TryGetValue(message.Id, out var printed) && printed.State == Transcript.State(message).Text;

    /// <summary>Shows what became of all that stand there.</summary>
    public void UpdateAll(History history)
    {
        foreach (var id in _printed.Keys.ToList())
            if (history.Find(id) is { } message)
                Update(message);
    }

    /// <summary>Shows what became of a message, if it stands there.</summary>
    public void Update(ChatMessage message)
    {
        var (text, style) = Transcript.State(message);
        if (!_printed.TryGetValue(message.Id, out var printed) || printed.State == text)
            return;
        _printed[message.Id] = (printed.Handle, text);
        if (!view.Rewrite(printed.Handle, text, style)
            && message.State is MessageState.Refused or MessageState.Unsent)
            view.Print(Transcript.Line(message, me, unread: false));
        else if (message.State == MessageState.Refused && message.Note.Length > 0)
            view.Print(Transcript.Note(Transcript.Refusal(message), Style.Bad));
    }
}
