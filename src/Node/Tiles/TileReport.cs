using System.Collections.Immutable;
using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Epochs;
using ChordChat.Node.Base;
using ChordChat.Node.Identity;
using ChordChat.Node.Links;
using ChordChat.Node.Storage;

namespace ChordChat.Node.Tiles;

/// <summary>What a node tells the operator of one tile, as JSON.</summary>
/// <param name="Node">Who tells it, in hex.</param>
/// <param name="Header">In the database's format; absent when the node never had to do with the tile.</param>
/// <param name="Known">The newest configuration it has heard of, as a header that is retired.</param>
/// <param name="Registers">Accounts and other small records of the tile on this node.</param>
/// <param name="Messages">Messages of the tile that wait on this node.</param>
/// <param name="Peers">Everybody it has ever heard of, itself included.</param>
internal sealed record TileReport(
    string Node, byte[]? Header, byte[] Known, long Registers, long Messages, PeerReport[] Peers)
{
    /// <summary>As many as a ring has members, and the node itself.</summary>
    private const int PeersMax = 4_097;

    private const int CopiesMax = 64;

    /// <summary>What it says, if a node can have written it.</summary>
    /// <param name="by">The node whose connection it came over.</param>
    /// <param name="tile">What was asked about.</param>
    /// <exception cref="FormatException">No node writes such a report; the message says why.</exception>
    public ToldTile Read(NodeCertificate by, TileId tile)
    {
        if (!string.Equals(Node, by.Node.ToString(), StringComparison.OrdinalIgnoreCase))
            throw new FormatException("it is in another node's name");
        var header = Header is null ? null : HeaderOf(Header, tile);
        var known = HeaderOf(Known, tile).Configuration;
        if ((Peers ?? throw new FormatException("it names no nodes")).Contains(null))
            throw new FormatException("its list of nodes has an empty entry");
        var own = Peers.FirstOrDefault(peer => peer.Node == Node)
            ?? throw new FormatException("it does not name the node itself");
        return new(
            by, new(by.Node, header, known), Registers, Messages, own.Stays,
            [
                .. Peers.Take(PeersMax).Where(peer => HostPort.TryParse(peer.Address ?? "", out _)),
            ]);
    }

    private static TileHeader HeaderOf(byte[]? bytes, TileId tile)
    {
        try
        {
            var header = HeaderFormat.Read(bytes ?? []);
            if (header.Tile != tile || header.Newest.Tile != tile)
                throw new FormatException("it is about another tile");
            if (!Enum.IsDefined(header.Phase) || !IsPossible(header.Configuration) || !IsPossible(header.Newest)
                || header.Configuration.Members.IsEmpty || header.Newest.Members.IsEmpty
                || (header.Previous is { } previous && !IsPossible(previous)))
                throw new FormatException("it names a configuration that cannot be");
            return header;
        }
        catch (Exception e) when (e is InvalidDataException or ArgumentException)
        {
            throw new FormatException("another version wrote it", e);
        }
    }

    private static bool IsPossible(TileConfiguration said) =>
        ReplicaMap.IsCounter(said.Generation) && ReplicaMap.IsCounter(said.Epoch) && said.Members.Length <= CopiesMax
        && said.Members.Distinct().Count() == said.Members.Length;
}

/// <summary>A node, where it stands and where it was last heard of.</summary>
/// <param name="Stays">False when it has said that it leaves.</param>
internal sealed record PeerReport(string Node, string Position, string Name, string Address, bool Stays);

/// <summary>A report that was read.</summary>
/// <param name="By">Who told it, as its certificate says.</param>
/// <param name="Stays">False when that node leaves.</param>
/// <param name="Peers">Hearsay: addresses are well-formed, names may be anything.</param>
internal sealed record ToldTile(
    NodeCertificate By, TileAnswer Answer, long Registers, long Messages, bool Stays, ImmutableArray<PeerReport> Peers);
