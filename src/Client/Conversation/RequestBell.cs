using ChordChat.Sdk;

namespace ChordChat.Client.Conversation;

/// <summary>Says that people to whom this user never wrote want to chat: each once, and not many of them.</summary>
/// <param name="command">What stands before a command where it is typed: <c>/</c> or <c>chordchat </c>.</param>
internal sealed class RequestBell(ChatClient client, string command)
{
    private const int NamesMax = 5;

    private readonly HashSet<string> _said = [];
    private bool _saidMore;

    /// <summary>What to say of all who wait.</summary>
    public IEnumerable<string> All()
    {
        if (_saidMore || !client.Circle.IsKnown)
            yield break;
        foreach (var request in client.History.Requests())
            if (Of(request.From) is { } line)
                yield return line;
    }

    /// <summary>What to say of somebody of whom a message waits; null when it was said, or cannot be known
    /// yet.</summary>
    public string? Of(string user)
    {
        if (_saidMore || _said.Contains(user) || !client.Circle.IsKnown)
            return null;
        _saidMore = _said.Count == NamesMax;
        return !_saidMore && _said.Add(user)
            ? $"{user} wants to chat, and you never wrote to them: {command}accept {user} shows the messages, "
                + $"{command}block {user} refuses them"
            : $"more people want to chat: {command}requests lists them";
    }
}
