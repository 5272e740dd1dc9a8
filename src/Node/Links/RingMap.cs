using System.Collections.Immutable;
using System.Globalization;
using ChordChat.Core.Chat;
using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using ChordChat.Node.Base;
using ChordChat.Node.Identity;
using ChordChat.Wire;
using Google.Protobuf;

namespace ChordChat.Node.Links;

/// <summary>Peers, members and routes: Core on one side, Wire on the other.</summary>
/// <remarks>Reading throws <see cref="MalformedException"/> for whatever Core could not have written.</remarks>
internal static class RingMap
{
    private const int AddressMax = 300;
    private const int ListMax = 1_024;

    /// <summary>More tiles than any circle is cut into.</summary>
    private const int TilesMax = 65_536;
    private const int TileMembersMax = ClusterPlan.BackupCountMax + 1;

    private static readonly ImmutableHashSet<string> Phases =
        [.. Enum.GetValues<TilePhase>().Select(ToWire)];

    /// <summary>More records than a cache has (4,096) and a message needs: the rest is not read.</summary>
    private const int MembersMax = 4_097;

    public static WirePeer ToWire(this Peer peer) => new()
    {
        NodeId = peer.Node.ToWire(),
        Position = peer.Position.ToWire(),
        Name = peer.Name,
        Address = peer.Address,
    };

    public static Peer ToCore(this WirePeer? peer) =>
        peer is { Address.Length: <= AddressMax }
            && ClusterPlan.IsName(peer.Name) && IsPrintable(peer.Address) // They are shown in logs and on pages.
            && HostPort.TryParse(peer.Address, out _) // Or nobody could be called there.
            ? new(peer.NodeId.ToNodeId(), peer.Position.ToRingId(), peer.Name, peer.Address)
            : throw new MalformedException("peer");

    public static Peer? ToCoreOrNull(this WirePeer? peer) => peer?.ToCore();

    public static ByteString ToWire(this RingId id) => UnsafeByteOperations.UnsafeWrap(id.ToBytes());

    public static RingId ToRingId(this ByteString bytes) =>
        bytes.Length == 16 ? RingId.FirstBytes(bytes.Span) : throw new MalformedException("position");

    public static MemberRecord ToWire(this Member member) => new()
    {
        Peer = member.Peer.ToWire(),
        Incarnation = member.Incarnation,
        JoinedAtMs = member.JoinedAtMs,
        Health = member.Health switch
        {
            Health.Alive => MemberRecord.Types.Health.Alive,
            Health.Suspect => MemberRecord.Types.Health.Suspect,
            Health.Leaving => MemberRecord.Types.Health.Leaving,
            Health.Dead => MemberRecord.Types.Health.Dead,
            _ => MemberRecord.Types.Health.Left,
        },
    };

    public static Member ToCore(this MemberRecord? record) => record is null
        ? throw new MalformedException("member")
        : new(record.Peer.ToCore(), ReplicaMap.Counter(record.Incarnation), record.Health switch
        {
            MemberRecord.Types.Health.Alive => Health.Alive,
            MemberRecord.Types.Health.Suspect => Health.Suspect,
            MemberRecord.Types.Health.Leaving => Health.Leaving,
            MemberRecord.Types.Health.Dead => Health.Dead,
            MemberRecord.Types.Health.Left => Health.Left,
            _ => throw new MalformedException("health"),
        }, record.JoinedAtMs);

    /// <summary>What is told of others, one record of each. One whose number is out of range, or whose name no node can
    /// have, is passed over: whoever tells it on may not have made it up.</summary>
    public static ImmutableArray<Member> ToCore(this IEnumerable<MemberRecord> records) =>
    [
        .. records.Where(record => ReplicaMap.IsCounter(record.Incarnation)
            && record.Peer is { } peer && ClusterPlan.IsName(peer.Name)).Take(MembersMax)
            .Select(record => record.ToCore()).DistinctBy(member => member.Peer.Node),
    ];

    public static RingReply ToWire(this RingAnswer answer) => new()
    {
        Member = answer.Member,
        Predecessor = answer.Predecessor?.ToWire(),
        Successors = { answer.Successors.Select(peer => peer.ToWire()) },
    };

    public static RingAnswer ToCore(this RingReply reply) => reply.Member
        ? new(true, reply.Predecessor.ToCoreOrNull(), [.. reply.Successors.Take(64).Select(peer => peer.ToCore())])
        : RingAnswer.NotMember;

    public static FindSuccessorReply ToWire(this RouteReply reply)
    {
        var wire = new FindSuccessorReply { Found = reply.Owner is not null };
        if (reply.Owner is { } owner)
            wire.Owner = ToWire(owner);
        wire.Closer.AddRange(reply.Closer.Select(ToWire));
        return wire;
    }

    public static RouteReply ToCore(this FindSuccessorReply reply) => new(
        reply.Found ? ToCore(reply.Owner) : null, [.. reply.Closer.Take(Routing.CloserMax).Select(ToCore)]);

    /// <summary>A node's portrait, if the page can show it: pages are drawn from the message itself.</summary>
    public static DescribeReply Checked(this DescribeReply portrait)
    {
        portrait.Predecessor.ToCoreOrNull();
        foreach (var peer in portrait.Successors.Concat(portrait.Fingers.Select(finger => finger.Peer)))
            peer.ToCore();
        foreach (var tile in portrait.Tiles)
        {
            if (tile.Members.Count > TileMembersMax || tile.Members.Distinct().Count() < tile.Members.Count)
                throw new MalformedException("members of a tile");
            foreach (var member in tile.Members)
                member.ToNodeId();
            if (!Phases.Contains(tile.Phase))
                tile.Phase = ""; // Of another version, or made up.
        }

        return portrait.Successors.Count <= ListMax && portrait.Fingers.Count <= ListMax
            && portrait.Users.Count <= ListMax && portrait.Users.All(UserName.IsValid)
            && portrait.Tiles.Count <= TilesMax && portrait.Tiles.All(tile => tile.Bits <= TileId.BitsMax)
            ? portrait : throw new MalformedException("portrait");
    }

    /// <summary>As pages show it.</summary>
    public static string ToWire(this TilePhase phase) => phase.ToString().ToLowerInvariant();

    /// <summary>Nothing that moves a cursor, breaks a line or turns text round.</summary>
    private static bool IsPrintable(string text) => text.All(c => char.GetUnicodeCategory(c)
        is not (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator
            or UnicodeCategory.ParagraphSeparator));

    private static WireRoute ToWire(RouteStep step) => new() { Peer = step.Peer.ToWire(), Why = step.Why };

    private static RouteStep ToCore(WireRoute? step) =>
        step is null ? throw new MalformedException("route")
            : new(step.Peer.ToCore(), RouteStep.IsReason(step.Why) ? step.Why : ""); // Pages show it.
}
