using ChordChat.Core.Ring;
using ChordChat.Node.Base;
using ChordChat.Node.Discovery;
using ChordChat.Node.Identity;
using ChordChat.Node.Links;

namespace ChordChat.Node.Ring;

/// <summary>Shows this start of the node to the others before it serves.</summary>
/// <remarks>docs/protocol.md#copied-and-restored-disks.</remarks>
internal sealed partial class Vouching(
    RingDriver ring, PeerLinks links, DiskGuard guard, RememberedPeers remembered, TimeProvider time,
    ILogger<Vouching> logger) : ILoop
{
    /// <summary>Others that are asked, clockwise from this node: those who share tiles with it come first. Whoever has
    /// spoken here is asked before those whom others may have made up.</summary>
    private const int AskedMax = 64;

    /// <summary>Silent ones that are probed at a time: others can name any number of them.</summary>
    private const int ProbedMax = 8;

    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan ForTheSuspect = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ForTheSilent = TimeSpan.FromSeconds(5);

    private readonly DiskGuard _guard = Counting(guard, ring, remembered.Earlier);

    /// <summary>From the first call on the guard knows who the other nodes are.</summary>
    private static DiskGuard Counting(DiskGuard guard, RingDriver ring, IReadOnlyDictionary<NodeId, Peer> earlier)
    {
        guard.Others = () => OthersOf(ring.Now.Membership, earlier, ring.Clock);
        return guard;
    }

    /// <summary>Whose voices count, heard or not: nobody stops being one of them by being dead or gone, and after the
    /// placement time nobody is one whom only others have named, unless that would leave a single voice.</summary>
    /// <param name="earlier">Nodes that answered before this start: nobody has made these up.</param>
    internal static IReadOnlyCollection<NodeId> OthersOf(
        MembershipState members, IReadOnlyDictionary<NodeId, Peer> earlier, TimeSpan now)
    {
        var isEarly = now - members.StartedAt < members.Options.SilentDeadAfter;
        var all = members.Members.All
            .Where(member => member.Peer != members.Members.Self && !members.Denied.Contains(member.Peer.Node))
            .ToList();
        var unmet = Unmet(members, earlier).ToList();
        var sure = all.Where(member => isEarly || !member.WasHeard || member.Spoken > 0
            || earlier.ContainsKey(member.Peer.Node)).ToList();
        return [.. (sure.Count + unmet.Count == 1 ? all : sure).Select(member => member.Peer.Node), .. unmet];
    }

    /// <summary>Whether one other node is all that this one knows, so that its word has to do. One that is away may be
    /// back soon, and is the second voice then; whoever answered before this start counts, too, for as long as a ring
    /// would remember it.</summary>
    internal static bool HasOneOther(
        MembershipState members, IReadOnlyDictionary<NodeId, Peer> earlier, TimeSpan now) =>
        members.Members.All.Select(member => member.Peer.Node)
            .Union(now - members.StartedAt < members.Options.ForgetAfter ? earlier.Keys : [])
            .Count(node => node != members.Members.Self.Node && !members.Denied.Contains(node)) == 1;

    /// <summary>Nodes that answered before this start and of which nobody has told anything since.</summary>
    private static IEnumerable<NodeId> Unmet(MembershipState members, IReadOnlyDictionary<NodeId, Peer> earlier) =>
        earlier.Keys.Where(node => members.Members[node] is null && !members.Denied.Contains(node));

    public async Task RunAsync(CancellationToken stopping)
    {
        var started = time.GetTimestamp();
        while (!IsVouched(time.GetElapsedTime(started)))
            await Task.Delay(Look, time, stopping);
        _guard.Open();
        if (_guard.IsOpen)
            LogOpen((long)time.GetElapsedTime(started).TotalMilliseconds);
    }

    private bool IsVouched(TimeSpan waited)
    {
        var self = ring.Now.Self;
        var others = ring.Now.Members.Clockwise(self.Position)
            .Where(member => !member.IsGone && member.Peer.Node != self.Node)
            .OrderByDescending(member => member.Spoken > 0).Take(AskedMax).ToList();
        var missing = others.Where(member => !_guard.HasWelcomeOf(member.Peer.Node)).ToList();
        foreach (var member in missing.Where(member => member.IsReachable))
            links.Greet(member.Peer.Node);
        foreach (var member in missing.Where(IsOnlySaidToBeSilent).Take(ProbedMax))
            ring.TryGive(now => new MembershipInput.Unreachable(now, member.Peer));
        return MayOpen(waited, others, Unmet(ring.Now.Membership, remembered.Earlier).Any(), _guard.HasWelcomeOf);
    }

    /// <summary>Its own word, or its silence, is one probe away.</summary>
    private static bool IsOnlySaidToBeSilent(Member member) =>
        member is { WasHeard: true, IsReachable: false, MissedAt: null };

    /// <summary>Whether all have looked that may be there to look.</summary>
    /// <param name="others">The other members, but for those that are gone by their own word or this node's own
    /// probes.</param>
    /// <param name="awaits">Whether some who answered before this start have not been heard of yet.</param>
    internal static bool MayOpen(
        TimeSpan waited, IReadOnlyCollection<Member> others, bool awaits, Func<NodeId, bool> hasLooked)
    {
        var missing = others.Where(member => !hasLooked(member.Peer.Node)).ToList();
        if (waited >= ForTheSilent)
            return true;
        if (awaits || missing.Count == 0)
            return !awaits;
        // Of a founder that nobody has heard yet nothing is known: it may be about to answer. What others say of a
        // member is not enough either.
        return waited >= ForTheSuspect && missing.Count < others.Count
            && missing.All(member => member.WasHeard && member.MissedAt is not null);
    }

    [LoggerMessage(3010, LogLevel.Information, "serves now; the other nodes had {Milliseconds} ms to check this start")]
    private partial void LogOpen(long milliseconds);
}
