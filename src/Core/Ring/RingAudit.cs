namespace ChordChat.Core.Ring;

/// <summary>The token that goes round the first successors, and what the node says that gets it;
/// docs/protocol.md, "Ring: audit".</summary>
public static class RingAudit
{
    /// <summary>A token that has come round this often and not met its origin never will.</summary>
    public const int WrapsMax = 3;

    /// <summary>What is wrong when that happens, in words.</summary>
    public static readonly string LostItsOrigin = $"the token has gone round {WrapsMax} times past its origin";

    /// <summary>Whether this node is the one that sends a token: in the ring, and the first of all reachable
    /// members.</summary>
    public static bool IsOrigin(RingState s) => s is { Phase: RingPhase.Member, Successor: not null }
        && s.Live.All(other => s.Self.Position < other.Position);

    /// <param name="number">Grows with every token of this origin.</param>
    public static AuditStep Start(RingState s, ulong number) => s.Successor is { } first
        ? new AuditStep.Forward(first, new(s.Self, number, 1, 0, s.Self.Position, s.Self.Position.Value))
        : new AuditStep.Lost();

    public static AuditStep Pass(RingState s, AuditToken token)
    {
        if (s.Phase is not RingPhase.Member || s.Successor is not { } next)
            return new AuditStep.Lost();
        var wraps = token.Wraps + (s.Self.Position <= token.Previous ? 1 : 0);
        if (s.Self == token.Origin)
            return new AuditStep.Ended(token, Judge(s, token with { Wraps = wraps }));
        return wraps > WrapsMax
            ? new AuditStep.Ended(token, LostItsOrigin)
            : new AuditStep.Forward(next, token with
            {
                Count = token.Count + 1,
                Wraps = wraps,
                Previous = s.Self.Position,
                Ids = token.Ids ^ s.Self.Position.Value,
            });
    }

    /// <summary>What is wrong with the ring that a token has gone round, in words, or null.</summary>
    private static string? Judge(RingState s, AuditToken token)
    {
        var known = s.Live.Length + 1;
        var ids = s.Live.Aggregate(s.Self.Position.Value, (sum, peer) => sum ^ peer.Position.Value);
        return token switch
        {
            { Wraps: not 1 } => $"the first successors wind {token.Wraps} times round the circle",
            _ when token.Count < known => $"the ring has {token.Count} nodes, but {known} are reachable",
            _ when token.Count == known && token.Ids != ids => "the ring has other nodes than those that are reachable",
            _ => null,
        };
    }
}

/// <param name="Count">Nodes so far, the origin included.</param>
/// <param name="Wraps">How often the next position was not larger than the one before.</param>
/// <param name="Previous">The position of the node that passed it on.</param>
/// <param name="Ids">The positions so far, xored.</param>
public sealed record AuditToken(Peer Origin, ulong Number, int Count, int Wraps, RingId Previous, UInt128 Ids);

/// <summary>What becomes of a token.</summary>
public abstract record AuditStep
{
    private AuditStep() { }

    public sealed record Forward(Peer To, AuditToken Token) : AuditStep;

    /// <summary>The origin is told.</summary>
    /// <param name="Fault">What is wrong, in words; null when the ring is one.</param>
    public sealed record Ended(AuditToken Token, string? Fault) : AuditStep;

    /// <summary>It came to a node outside the ring: nothing is known.</summary>
    public sealed record Lost : AuditStep;
}
