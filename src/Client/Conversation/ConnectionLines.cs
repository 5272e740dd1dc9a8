using ChordChat.Client.Terminal;
using ChordChat.Sdk;
using ChordChat.Sdk.Messages;

namespace ChordChat.Client.Conversation;

/// <summary>Says whether there is a node to talk to, each thing once.</summary>
internal sealed class ConnectionLines(IConsoleView view)
{
    private bool _saidSearching;
    private bool _isDegraded;

    public bool IsUp { get; private set; }

    public void Begin(ClientEvent.Connected connected)
    {
        (IsUp, _saidSearching, _isDegraded) = (true, false, connected.Degraded);
        view.Print(Transcript.Connected(connected));
    }

    public void End() => IsUp = false;

    public void Search(ChordChatException reason)
    {
        if (_saidSearching)
            return;
        _saidSearching = true;
        view.Print(Transcript.Note(
            $"{reason.Message}; still trying, messages wait on this machine"
            + (reason.Code == "refused" ? $" ({reason.Hint})" : ""), Style.Warning));
    }

    /// <summary>Takes back that messages may stay queued, as soon as one is kept.</summary>
    public void Judge(ChatMessage changed)
    {
        if (!_isDegraded || changed is not { State: MessageState.Kept, Reachable: null, IsKeptByMajority: true })
            return;
        _isDegraded = false;
        view.Print(Transcript.Note("enough copies answer again: messages no longer stay queued"));
    }
}
