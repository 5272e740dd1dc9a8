using ChordChat.Core.Ring;

namespace ChordChat.Node.Links;

/// <summary>What nodes say to each other of a token.</summary>
internal abstract record AuditNews
{
    private AuditNews(NodeId from) => From = from;

    /// <summary>Whose token it is about.</summary>
    public NodeId From { get; }

    public sealed record Passed(AuditToken Token) : AuditNews(Token.Origin.Node);

    /// <summary>It has gone round too often without meeting its origin.</summary>
    public sealed record Ended(AuditToken Token) : AuditNews(Token.Origin.Node);

    public sealed record Failed(Peer Origin, ulong Number) : AuditNews(Origin.Node);
}
