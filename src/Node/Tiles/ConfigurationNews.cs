using ChordChat.Core.Tiles;
using ChordChat.Node.Base;
using ChordChat.Node.Ring;

namespace ChordChat.Node.Tiles;

/// <summary>Whatever this node hears of new configurations ends here: the hint is kept and the page is told.</summary>
internal sealed class ConfigurationNews(TileDirectory directory, RingDriver ring, EventLog events)
{
    public void Hear(TileConfiguration configuration)
    {
        if (!directory.Learn(configuration))
            return;
        events.AddMoved(
            configuration.Tile, configuration.Epoch, [.. configuration.Members.Select(ring.Now.NameOf)]);
    }
}
