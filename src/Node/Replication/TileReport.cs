using ChordChat.Core.Replication;
using ChordChat.Core.Ring;
using ChordChat.Node.Storage;

namespace ChordChat.Node.Replication;

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
    /// <exception cref="FormatException">It is not what a node tells.</exception>
    public TileAnswer ToAnswer()
    {
        try
        {
            return new(
                NodeId.FromBytes(Convert.FromHexString(Node)), Header is null ? null : HeaderFormat.Read(Header),
                HeaderFormat.Read(Known).Configuration);
        }
        catch (Exception e) when (e is IOException or ArgumentException or NullReferenceException)
        {
            throw new FormatException("a report of another version", e);
        }
    }
}

/// <summary>A node, where it stands and where it was last heard of.</summary>
/// <param name="Stays">False when it has said that it leaves.</param>
internal sealed record PeerReport(string Node, string Position, string Name, string Address, bool Stays);
