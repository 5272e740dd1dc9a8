using ChordChat.Sdk;
using ChordChat.Sdk.Messages;

namespace ChordChat.Client.Conversation;

/// <summary>Marks messages as read once they are on the screen, and not before: their senders are told, and what is
/// marked is not shown again at the next start.</summary>
/// <remarks>docs/e2e.md, Order ("Shown once"). Until then they are unread in the store, although they were printed.
/// </remarks>
internal sealed class ReadMarks(ChatClient client, IConsoleView view)
{
    /// <summary>By id, who sent it.</summary>
    private readonly Dictionary<string, string> _printed = [];
    private bool _isDue;

    /// <summary>These were printed.</summary>
    public void Add(IEnumerable<ChatMessage> messages)
    {
        foreach (var message in messages)
            _printed[message.Id] = message.From;
        if (_isDue || _printed.Count == 0)
            return;
        _isDue = true;
        view.WhenShown(Mark);
    }

    /// <summary>The next unread messages of somebody, without those that were printed.</summary>
    public IReadOnlyList<ChatMessage> NextOf(string user, int count) =>
    [
        .. client.History.UnreadOf(user, count + _printed.Count)
            .Where(message => !_printed.ContainsKey(message.Id)).Take(count),
    ];

    /// <summary>How many are unread, without those that were printed.</summary>
    /// <param name="unread">As the store knows it.</param>
    public int Without(string user, int unread) => unread - _printed.Values.Count(from => from == user);

    private void Mark()
    {
        _isDue = false;
        try
        {
            client.MarkRead(_printed.Keys);
            _printed.Clear();
        }
        catch (ChordChatException cause)
        {
            view.Print(Transcript.Problem(cause)); // They are marked with the next ones.
        }
    }
}
