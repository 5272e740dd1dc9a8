namespace ChordChat.Sdk;

/// <summary>Where somebody's undelivered messages lie.</summary>
/// <param name="Tile">Prefix in hex and its length in bits, as in "5a/7".</param>
/// <param name="Epoch">The number of the tile's configuration.</param>
/// <param name="Members">Names of the nodes that keep the mailbox, the owner first.</param>
/// <param name="Answering">Those of them that have just answered the node that was asked.</param>
public sealed record MailboxMembers(
    string User, string Tile, ulong Epoch, IReadOnlyList<string> Members, IReadOnlyList<string> Answering);
