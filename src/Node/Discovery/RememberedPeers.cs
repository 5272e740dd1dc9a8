using System.Text;
using ChordChat.Core.Ring;
using ChordChat.Node.Admission;
using ChordChat.Node.Hosting;

namespace ChordChat.Node.Discovery;

/// <summary>DATA/members: where others answered last time, so that a node finds back without multicast or seeds, and
/// knows who else has a voice about its disk.</summary>
/// <remarks>One line a node: id, name, host:port. A hint that may be old; losing it loses nothing else.
/// docs/protocol.md#voices</remarks>
internal sealed class RememberedPeers(string folder)
{
    private const string FileName = "members";
    private const int PeersMax = 1_000;
    private readonly string _path = Path.Combine(folder, FileName);
    private string _written = "";

    /// <summary>Who answered before this start.</summary>
    public IReadOnlySet<NodeId> Earlier { get; } = Read(Path.Combine(folder, FileName))
        .Select(peer => peer.Node).OfType<NodeId>().ToHashSet();

    /// <summary>Called by the ring when members or addresses changed; writes only what is new, and nothing on a disk
    /// that is full or broken: what it could not write is a hint, and that the disk is full others say.</summary>
    public void Save(IEnumerable<Peer> peers)
    {
        var lines = peers.OrderBy(p => p.Node).Take(PeersMax).Select(p => $"{p.Node} {p.Name} {p.Address}\n");
        var text = string.Concat(lines);
        if (text == _written || text.Length == 0)
            return;
        try
        {
            PrivateFiles.Write(_path, Encoding.ASCII.GetBytes(text));
            _written = text;
        }
        catch (IOException)
        {
            // The next change of the members tries again.
        }
    }

    /// <summary>Lines that are damaged are left out.</summary>
    public IReadOnlyList<DiscoveredPeer> Load() => Read(_path);

    private static IReadOnlyList<DiscoveredPeer> Read(string path) => File.Exists(path)
        ? [.. File.ReadLines(path).Select(Parse).OfType<DiscoveredPeer>()]
        : [];

    private static DiscoveredPeer? Parse(string line) =>
        line.Split(' ') is [{ Length: 64 } id, var name, var address]
        && id.All(char.IsAsciiHexDigit) && HostPort.TryParse(address, out _)
            ? new(NodeId.FromBytes(Convert.FromHexString(id)), name, address, "memory")
            : null;
}
