using ChordChat.Crypto.KeyLogs;
using ChordChat.Sdk.Messages;

namespace ChordChat.Sdk;

/// <summary>What happens to a running client, in the order in which it happened.</summary>
public abstract record ClientEvent
{
    private ClientEvent() { }

    /// <summary>A session stands.</summary>
    /// <param name="Node">The node's name.</param>
    /// <param name="Lost">The name of the node that was lost before; null for the first session.</param>
    /// <param name="Degraded">No majority of the account's copies answers; messages may stay queued.</param>
    /// <param name="Why">Why the session there ended, in words; empty if this client ended it itself. Null for the
    /// first session, and when that node did not answer any more.</param>
    public sealed record Connected(string Node, string? Lost, bool Degraded, string? Why = null) : ClientEvent;

    /// <summary>The session is gone; the client goes on looking for a node by itself.</summary>
    /// <param name="Reason">In words, with the node's name.</param>
    public sealed record Disconnected(string Node, string Reason) : ClientEvent;

    /// <summary>Nobody could be reached yet; told once until it succeeds.</summary>
    public sealed record Searching(ChordChatException Reason) : ClientEvent;

    /// <summary>A message may be shown now, or waits to be accepted: <see cref="ChatMessage.IsRequest"/>.</summary>
    public sealed record Arrived(ChatMessage Message) : ClientEvent;

    /// <summary>Another program that uses this profile has stored a message of ours to be sent.</summary>
    public sealed record SentBeside(ChatMessage Message) : ClientEvent;

    /// <summary>A message of ours came further.</summary>
    public sealed record Changed(ChatMessage Message) : ClientEvent;

    /// <summary>Everything that the mailbox held has arrived.</summary>
    public sealed record CaughtUp : ClientEvent;

    /// <summary>The reader was too slow: events about messages are missing here. Look at the history.</summary>
    public sealed record LeftOut : ClientEvent;

    /// <summary>A node has said whose mail this user refuses and to whom they wrote, also on other devices.</summary>
    public sealed record CircleHeard : ClientEvent;

    /// <summary>This profile is a copy (perhaps a restored backup) of one that went on: what it sends is shown with a
    /// mark until <see cref="ChatClient.BecomeNewDeviceAsync"/>.</summary>
    /// <param name="IsOpenElsewhere">The other one has the session, so that this one has none until then; or until
    /// <see cref="ChatClient.StayOldDevice"/> ends it.</param>
    public sealed record Copied(bool IsOpenElsewhere = false) : ClientEvent;

    public sealed record KeysChanged(string User, PinState State) : ClientEvent;

    /// <summary>A line from this client that a person should read; never a node's words alone.</summary>
    public sealed record Notice(string Text) : ClientEvent;

    /// <summary>The session ended and will not come back by itself.</summary>
    public sealed record Ended(ChordChatException Reason) : ClientEvent;
}
