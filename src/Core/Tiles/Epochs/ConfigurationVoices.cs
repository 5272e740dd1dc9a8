using ChordChat.Core.Ring;

namespace ChordChat.Core.Tiles.Epochs;

/// <summary>Which nodes say what about the newest configuration of a tile, and what of it is to be believed.</summary>
/// <remarks>docs/protocol.md#one-voice-is-a-claim. Each node has one claim, its last, and makes others be asked once a
/// round, so a node that says something else each time makes nothing grow.</remarks>
/// <param name="known">What the asker knows.</param>
internal sealed class ConfigurationVoices(TileConfiguration known, CoordinatorOptions options)
{
    /// <summary>Nodes that are asked because of what one says; no tile has so many members.</summary>
    private const int AskedMax = 16;

    private const int ClaimsMax = 64;
    private const int AnswersMax = 512;

    private readonly Dictionary<NodeId, (TileConfiguration Next, TileConfiguration? Previous)> _claims = [];
    private readonly Dictionary<(NodeId Node, TileId Tile), ReplicaReply.Standing> _answers = [];
    private readonly Dictionary<TileId, ReplicaRequest.GetConfiguration> _questions = [];
    private readonly HashSet<NodeId> _causes = [];
    private readonly HashSet<(NodeId Node, TileId Tile)> _open = [];

    /// <summary>Whether a question has neither been answered nor failed.</summary>
    public bool IsWaiting => _open.Count > 0;

    public bool IsQuestion(ReplicaRequest request) => request is ReplicaRequest.GetConfiguration { Tile: var tile }
        && ReferenceEquals(_questions.GetValueOrDefault(tile), request);

    /// <summary>From now on whoever claims something may make others be asked again.</summary>
    public void NextRound()
    {
        _causes.Clear();
        _open.Clear(); // What was asked or answered may have been lost.
    }

    /// <summary>A node says that this was decided.</summary>
    public void Claim(NodeId from, TileConfiguration next, TileConfiguration? previous)
    {
        if (_claims.Count < ClaimsMax || _claims.ContainsKey(from))
            _claims[from] = (next, previous);
    }

    /// <summary>Whom to ask now what they know of that.</summary>
    public IEnumerable<(NodeId Node, ReplicaRequest.GetConfiguration Question)> Ask(NodeId from)
    {
        if (!_claims.TryGetValue(from, out var claim) || !_causes.Add(from))
            yield break;
        if (_answers.Count > AnswersMax || _questions.Count > AnswersMax)
        {
            _answers.Clear();
            _questions.Clear();
            _open.Clear();
        }

        var tile = claim.Next.Tile;
        if (!_questions.TryGetValue(tile, out var question))
            _questions[tile] = question = new ReplicaRequest.GetConfiguration(tile);
        var before = claim.Previous?.Members ?? [];
        foreach (var node in claim.Next.Members.Union(known.Members).Union(before)
            .Where(node => node != from).Take(AskedMax))
            if (_open.Add((node, tile)))
                yield return (node, question);
    }

    /// <summary>What a node that was asked says; null: nothing. One that knows of a later configuration of that tile
    /// claims it.</summary>
    /// <returns>Whether others are to be asked about that.</returns>
    public bool Answer(NodeId from, TileId tile, ReplicaReply? reply)
    {
        _open.Remove((from, tile));
        if (reply is not ReplicaReply.Standing standing)
            return false;
        _answers[(from, tile)] = standing;
        if (standing.Newest.Tile != tile || !Fits(standing.Newest) || standing.Newest == known)
            return false;
        Claim(from, standing.Newest, standing.Previous);
        return true;
    }

    /// <summary>What more than one node knows, or the only one that there is. While only one says what was before, the
    /// others are heard first.</summary>
    public (TileConfiguration Next, TileConfiguration? Previous)? Believed()
    {
        (TileConfiguration Next, TileConfiguration? Previous)? best = null;
        foreach (var (next, _) in _claims.Values)
            if (next.IsNewerThan(best?.Next) && Judge(next) is (true, var previous))
                best = (next, previous ?? (next.Tile == known.Tile && next.Follows(known.At) ? known : null));
        return best is { Previous: null } && IsWaiting ? null : best;
    }

    /// <summary>Whether it can follow what is known: of this circle and no older.</summary>
    private bool Fits(TileConfiguration next) => known.Tile.Contains(next.Tile) && !known.IsNewerThan(next)
        && next.Tile.Bits - next.Splits.Length == known.Tile.Bits - known.Splits.Length;

    private (bool IsBelieved, TileConfiguration? Previous) Judge(TileConfiguration next)
    {
        var voices = VoicesOf(next);
        foreach (var node in options.BelievedAlone(known, next))
            if (voices.TryGetValue(node, out var told))
                return (true, told.Previous);
        if (voices.Count < 2)
            return (false, null);
        var agreed = voices.Values.GroupBy(voice => voice.Previous).Where(same => same.Count() > 1).ToList();
        // Who drops its rows must not be one of the survivors: docs/protocol.md#generations.
        if (next.Generation > known.Generation && agreed.Count == 0)
            return (false, null);
        var previous = agreed.Find(same => same.Key is not null)?.Key;
        var isBelieved = IsKnownToTwo() || IsMajority(next) || IsMajority(known)
            || (previous is not null && IsMajority(previous));
        return (isBelieved, previous);

        bool IsKnownToTwo() => next.Generation == known.Generation && voices.Count(
            voice => voice.Value.IsDecided && (next.Contains(voice.Key) || known.Contains(voice.Key))) > 1;

        bool IsMajority(TileConfiguration of) => of.Majority <= of.Members.Count(
            node => voices.TryGetValue(node, out var voice) && (voice.IsDecided || voice.Previous == of));
    }

    /// <summary>Who knows it or voted for it, and what it followed there.</summary>
    private Dictionary<NodeId, Voice> VoicesOf(TileConfiguration next)
    {
        var voices = new Dictionary<NodeId, Voice>();
        foreach (var ((node, tile), standing) in _answers)
            if (tile == next.Tile && standing.Newest == next)
                voices[node] = new(standing.Previous, IsDecided: true);
            else if (tile == next.Tile && standing.VotedFor(next) is { } voted)
                voices[node] = new(voted, IsDecided: false);
        foreach (var (node, claim) in _claims)
            if (claim.Next == next)
                voices[node] = new(claim.Previous, IsDecided: true);
        return voices;
    }

    /// <param name="Previous">What it followed.</param>
    /// <param name="IsDecided">Whether it says so; a vote says only that it may be, at the end of
    /// <paramref name="Previous"/>.</param>
    private readonly record struct Voice(TileConfiguration? Previous, bool IsDecided);
}
