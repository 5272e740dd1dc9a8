using ChordChat.Core.Ring;

namespace ChordChat.Core.Tiles.Epochs;

/// <summary>What a replica makes of the news that a configuration was decided, told by another node.</summary>
/// <remarks>docs/protocol.md#one-voice-is-a-claim.</remarks>
public static class NewsJudge
{
    /// <param name="header">What is held of the tile, or of the narrowest wider one; null for nothing.</param>
    /// <param name="directory">What this node believes of tiles that it holds nothing of.</param>
    public static NewsVerdict Judge(
        NodeId from, ReplicaRequest.NewConfiguration news, TileHeader? header, TileDirectory directory,
        CoordinatorOptions options)
    {
        var next = news.Next;
        var known = header?.Newest ?? directory.Of(next.Tile) ?? directory.At(next.Tile.Start);
        if (!next.IsPossibleAfter(known))
            return new NewsVerdict.Impossible();
        if (!next.IsNewerThan(known))
        {
            if (header is null && next != known)
                return new NewsVerdict.Outdated(known); // Nothing held here shows whether it is true.

            if (header is null)
                return new NewsVerdict.Believed(news with { Previous = directory.Before(next) });

            // A learner that does not know whom to learn from hears it from more than one as well.
            return header is { Phase: TilePhase.Learning, Previous: null } && next == known && news.Previous is not null
                ? new NewsVerdict.Claimed(known)
                : new NewsVerdict.Believed(new(known, null)); // What was told is never taken for what is known.
        }

        if (!options.MayFollow(known, next))
            return new NewsVerdict.Impossible();
        if (header is { Phase: TilePhase.Active or TilePhase.Sealed, Vote: { } vote }
            && header.Configuration.Contains(from) && header.Configuration.Majority <= 2 // The teller and this node.
            && header.Configuration.Successors(vote).FirstOrDefault(one => one.Next == next) is { Next: not null } own)
            return new NewsVerdict.Believed(news with { Previous = own.Previous });
        return new NewsVerdict.Claimed(known);
    }
}

/// <summary>How far news is to be believed.</summary>
public abstract record NewsVerdict
{
    private NewsVerdict() { }

    /// <summary>This, at once.</summary>
    public sealed record Believed(ReplicaRequest.NewConfiguration News) : NewsVerdict;

    /// <summary>Only if <see cref="NewsCheck"/> finds others that know it.</summary>
    /// <param name="Known">What is known here.</param>
    public sealed record Claimed(TileConfiguration Known) : NewsVerdict;

    /// <summary>Never, and a newer one is known.</summary>
    public sealed record Outdated(TileConfiguration Known) : NewsVerdict;

    /// <summary>Never.</summary>
    public sealed record Impossible : NewsVerdict;
}
