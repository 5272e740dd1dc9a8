using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using ChordChat.Node.Links;
using ChordChat.Wire;

namespace ChordChat.Node.View;

/// <summary>Who keeps each tile, as far as nodes tell.</summary>
internal static class TilePicture
{
    /// <summary>Each tile at the newest configuration that is told by a member of the known one, or by two nodes: one
    /// that lies could draw every tile as its own.</summary>
    /// <param name="known">By this node; other tiles are not drawn.</param>
    /// <param name="told">What each node says that it holds.</param>
    public static IEnumerable<(TileConfiguration Configuration, string Phase)> Of(
        IEnumerable<TileConfiguration> known, IEnumerable<(NodeId Teller, HeldTile Held)> told)
    {
        var claims = told.ToLookup(claim => new TileId((int)claim.Held.Bits, claim.Held.Prefix));
        return known.OrderBy(tile => tile.Tile).Select(tile => Newest(tile, claims[tile.Tile]));
    }

    private static (TileConfiguration, string) Newest(
        TileConfiguration known, IEnumerable<(NodeId Teller, HeldTile Held)> claims)
    {
        var newest = (Configuration: known, Phase: TilePhase.Active.ToWire());
        foreach (var same in claims.GroupBy(claim => known with
        {
            Generation = claim.Held.Generation,
            Epoch = claim.Held.Epoch,
            Members = [.. claim.Held.Members.Select(member => member.ToNodeId())],
        }))
        {
            var tellers = same.Select(claim => claim.Teller).Distinct().ToList();
            if ((tellers.Count > 1 || known.Contains(tellers[0])) && !newest.Configuration.IsNewerThan(same.Key))
                newest = (same.Key, same.Last().Held.Phase);
        }

        return newest;
    }
}
