using System.Collections.Immutable;
using ChordChat.Core.Ring;

namespace ChordChat.Core.Tiles.Epochs;

/// <summary>Ends a tile's epoch and decides who the members of the next one are.</summary>
/// <remarks>
/// docs/protocol.md#epoch-change. Single-decree Paxos among the members of the epoch that ends; sealing is its first
/// phase. Any number of nodes may run it for the same tile: all of them decide the same configuration. Before anything
/// is sealed, those who shall come are asked whether they are there, and the members whether the epoch may end.
/// </remarks>
public sealed class EpochChange(
    TileConfiguration configuration,
    ImmutableArray<NodeId> wanted,
    BallotSource ballots,
    CoordinatorOptions options,
    ulong seed) : QuorumCoordinator<EpochChangeOutcome>(configuration, options, seed)
{
    /// <summary>How often newcomers are asked whether they are there.</summary>
    private const int AsksMax = 2;

    private readonly List<NodeId> _unheard = [.. wanted.Except(configuration.Members)];
    private ImmutableArray<NodeId> _wanted = wanted;
    private int _asks;
    private ImmutableArray<(TileConfiguration Next, TileConfiguration? Previous)> _news = [];
    private Ballot _ballot;
    private Ballot _bestVote;
    private readonly Dictionary<TileConfiguration, (int By, Ballot Ballot)> _doubtful = []; // Who named a vote first.
    private int _promises;
    private TileConfiguration? _next;
    private bool _isAsking; // Whether the epoch may end.
    private bool _mayEnd;
    private bool _deciding;

    /// <summary>Whether the tile is wanted cut in two, with the same members. docs/protocol.md#tile-split</summary>
    public bool Cuts { get; init; }

    /// <summary>Whether the tile is sealed already: then it does not wait for newcomers that are not there.</summary>
    public bool TakesOver { get; init; }

    /// <summary>Whether this node lets these members take over the tile, because that one says so, or by its own wish
    /// (null). docs/protocol.md#next-members</summary>
    public Func<NodeId?, TileConfiguration, bool> MayBeNext { get; init; } = static (_, _) => true;

    /// <summary>Newcomers that did not say in time that they are there.</summary>
    public IReadOnlyList<NodeId> Missing { get; private set; } = [];

    internal ReplicaRules Rules { get; init; } = ReplicaRules.Protocol;

    /// <summary>What is decided, each with the configuration before it; two when the tile was cut.</summary>
    public IReadOnlyList<(TileConfiguration Next, TileConfiguration? Previous)> News => _news;

    private protected override NodeId? Self => ballots.Self;

    private protected override void Begin()
    {
        if (!Rules.NewcomersAreAsked || _unheard.Count == 0)
            AskMembers();
        else if (!TakesOver && !MayBeNext(null, Configuration.Next(_wanted)))
            GiveUp(); // It would end the epoch and then propose the members of now.
        else if (_asks++ < (TakesOver ? 1 : AsksMax))
            AskNewcomers();
        else
            GoWithout(_unheard);
    }

    private void AskNewcomers()
    {
        var question = new ReplicaRequest.GetConfiguration(Configuration.Tile);
        foreach (var node in _unheard)
            Send(node, question);
        SetTimer(Options.RoundTimeout);
    }

    /// <summary>Any answer will do: it is there, and its disk too.</summary>
    private protected override void OnOther(NodeId from, ReplicaRequest request, ReplicaReply? reply)
    {
        if (request is not ReplicaRequest.GetConfiguration || !_unheard.Contains(from))
            return;
        if (reply is ReplicaReply.Standing told && IsNews(told.Newest))
        {
            if (Hear(from, told.Newest, told.Previous))
                return;
            AskAround(from);
        }

        if (reply is null)
            GoWithout(from);
        else if (_unheard.Remove(from) && _unheard.Count == 0)
            AskMembers();
    }

    /// <summary>The tile works on as it is; one that waits already goes on with the members that it has.</summary>
    private void GoWithout(params IEnumerable<NodeId> missing)
    {
        Missing = [.. missing];
        _unheard.Clear();
        if (!TakesOver)
        {
            GiveUp();
            return;
        }

        _wanted = Configuration.Members;
        Seal();
    }

    /// <summary>A copy that is sealed works no more. If only a few let the epoch end, they stay sealed, and with one
    /// that is dead and one that learns the rest may be no majority.</summary>
    private void AskMembers()
    {
        _isAsking = !TakesOver && !_mayEnd && Rules.MembersAreAsked;
        if (_isAsking)
            Ask(new ReplicaRequest.GetConfiguration(Configuration.Tile));
        else
            Seal();
    }

    private void Seal()
    {
        _ballot = ballots.Next(Configuration.Epoch, FloorAfter(_ballot));
        (_bestVote, _next, _deciding, _promises) = (default, null, false, 0);
        _doubtful.Clear();
        // A copy that works is not stopped before it is known that others let the epoch end.
        Ask(new ReplicaRequest.Seal(Configuration.At, _ballot), TakesOver ? null : ballots.Self);
    }

    /// <summary>Of one that knows a later epoch nothing is stopped: it answers the seal with that.</summary>
    private bool LetsItEnd(ReplicaReply reply) => reply is ReplicaReply.Standing told
        && (IsNews(told.Newest) || (told.MayEnd && told.Newest.At == Configuration.At));

    private protected override Vote Judge(int member, ReplicaReply reply)
    {
        if (_isAsking)
            return LetsItEnd(reply) ? Vote.For : Vote.Against;
        if (reply is ReplicaReply.Nack nack)
            Refused(member, _ballot, nack.Highest, mayBeFar: !_deciding);
        if (_deciding)
            return reply is ReplicaReply.Accepted ? Vote.For : Vote.Against;
        if (reply is not ReplicaReply.SealGranted granted || granted.AcceptedBallot > _ballot
            || granted.Vote is { } vote && !vote.Follows(Configuration))
            return Vote.Against;
        _promises++;
        var isHeld = granted.Vote is { } named && !MayAdopt(member, named, granted.AcceptedBallot);
        ReleaseUndecided();
        return isHeld && _doubtful.Count > 0 ? Vote.Held : Vote.For;
    }

    private bool MayAdopt(int member, TileConfiguration named, Ballot ballot)
    {
        if (Majority > 1 && !MayBeNext(Configuration.Members[member], named) && !IsNamedTwice(member, named, ballot))
            return false;
        Adopt(named, ballot);
        return true;
    }

    /// <summary>If so many have promised without naming a vote that no majority can have it, what only one member has
    /// named was not decided and cannot be any more.</summary>
    private void ReleaseUndecided()
    {
        if (1 + Configuration.Members.Length - _promises >= Majority)
            return;
        foreach (var (by, _) in _doubtful.Values)
            Release(by);
        _doubtful.Clear();
    }

    private void Adopt(TileConfiguration vote, Ballot ballot)
    {
        if (_next is null || ballot > _bestVote)
            (_bestVote, _next) = (ballot, vote);
    }

    /// <summary>A vote that this node would not give may be made up, unless a second member names it. What was decided
    /// has a majority, so it is named even without one member.</summary>
    private bool IsNamedTwice(int member, TileConfiguration vote, Ballot ballot)
    {
        if (_doubtful.TryAdd(vote, (member, ballot)))
            return false;
        var first = _doubtful[vote];
        Release(first.By);
        Adopt(vote, first.Ballot);
        return true;
    }

    private protected override void OnMajority()
    {
        if (_isAsking)
        {
            (_isAsking, _mayEnd) = (false, true);
            Seal();
            return;
        }

        if (_deciding)
        {
            Announce([.. Configuration.Successors(_next!)]);
            State(new EpochChangeOutcome.Decided(_next!));
            return;
        }

        _deciding = true;
        _next ??= Wanted();
        Ask(new ReplicaRequest.Decide(Configuration.At, _ballot, _next));
    }

    /// <summary>A newcomer that has gone since it was chosen is not voted for: others would refuse it.</summary>
    private TileConfiguration Wanted()
    {
        if (Cuts)
            return Configuration.Halves()[0].Next(Configuration.Members);
        var wanted = Configuration.Next(_wanted);
        return MayBeNext(null, wanted) ? wanted : Configuration.Next(Configuration.Members);
    }

    /// <summary>The epoch has ended already, by somebody else's hand; a change is wanted of this epoch only.</summary>
    private protected override void Meet(TileConfiguration newest, TileConfiguration? previous)
    {
        Emit(new Effect.Learned(newest, previous));
        Announce([(newest, previous)]);
        State(new EpochChangeOutcome.Superseded(newest));
    }

    private protected override void GiveUp() => State(new EpochChangeOutcome.Unavailable(Reached, Majority));

    /// <summary>Tells everybody once; whoever misses it hears it from a member's <see cref="Announcement"/>.</summary>
    private void Announce(ImmutableArray<(TileConfiguration Next, TileConfiguration? Previous)> news)
    {
        _news = news;
        foreach (var (next, previous) in news)
        {
            var told = new ReplicaRequest.NewConfiguration(next, previous);
            foreach (var node in next.Members.Union(Configuration.Members).Append(ballots.Self).Distinct())
                Send(node, told);
        }
    }
}

/// <summary>How a change of epoch ended.</summary>
public abstract record EpochChangeOutcome
{
    private EpochChangeOutcome() { }

    /// <summary>This is the next configuration; not always the wanted one. That of the first half stands for
    /// both.</summary>
    public sealed record Decided(TileConfiguration Next) : EpochChangeOutcome;

    /// <summary>The epoch had ended before.</summary>
    public sealed record Superseded(TileConfiguration Newest) : EpochChangeOutcome;

    /// <summary>No majority answered; some members may be sealed until somebody takes over. Or a newcomer did not
    /// answer, and nothing was begun: then <paramref name="Reached"/> is 0.</summary>
    public sealed record Unavailable(int Reached, int Needed) : EpochChangeOutcome;
}
