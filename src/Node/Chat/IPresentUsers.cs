namespace ChordChat.Node.Chat;

/// <summary>Who is connected to this node. The chat knows; a node that only keeps says nobody.</summary>
internal interface IPresentUsers
{
    IReadOnlyList<string> Names { get; }
}
