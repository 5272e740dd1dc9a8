using ChordChat.Core.Replication;
using ChordChat.Node.Ring;
using ChordChat.Node.View;

namespace ChordChat.Node.Replication;

/// <summary>Whatever this node hears of new configurations ends here: the hint is kept and the page is told.</summary>
internal sealed class ConfigurationNews(TileDirectory directory, RingDriver ring, EventLog events)
{
    /// <summary>Whether the tile is one of this cluster's, or a part of one.</summary>
    public bool Knows(TileConfiguration configuration) => directory.IsOfThisCircle(configuration);

    public void Hear(TileConfiguration configuration)
    {
        if (!directory.Learn(configuration))
            return;
        var now = ring.Now;
        events.AddMoved(configuration.Tile, configuration.Epoch, [.. configuration.Members.Select(
            member => now.Find(member)?.Name ?? member.ToString()[..8])]);
    }
}
