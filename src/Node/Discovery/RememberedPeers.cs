using System.Text;
using ChordChat.Core.Ring;
using ChordChat.Node.Base;

namespace ChordChat.Node.Discovery;

/// <summary>DATA/members: where others answered last time, so that a node finds its ring again without multicast or
/// seeds, and knows who else has a voice about its disk.</summary>
/// <remarks>One line a node: id, name, host:port. A hint that may be old; losing it loses those voices.
/// docs/protocol.md#voices</remarks>
internal sealed class RememberedPeers(string folder)
{
    private const string FileName = "members";
    private const int PeersMax = 1_000;
    private readonly string _path = Path.Combine(folder, FileName);
    private string _written = "";

    /// <summary>Who answered before this start, where, by node. Lines that are damaged are left out.</summary>
    public IReadOnlyDictionary<NodeId, Peer> Earlier { get; } =
        Read(Path.Combine(folder, FileName)).DistinctBy(peer => peer.Node).ToDictionary(peer => peer.Node);

    /// <summary>The ring calls this when members or addresses have changed, with those first that matter most. It
    /// writes only if something is new. It says nothing when the disk is full or broken: only a hint is lost, and
    /// others report the disk.</summary>
    public void Save(IEnumerable<Peer> peers)
    {
        var lines = peers.Take(PeersMax).OrderBy(p => p.Node).Select(p => $"{p.Node} {p.Name} {p.Address}\n");
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

    private static IEnumerable<Peer> Read(string path) =>
        File.Exists(path) ? File.ReadLines(path).Take(PeersMax).Select(Parse).OfType<Peer>() : [];

    private static Peer? Parse(string line) =>
        line.Split(' ') is [{ Length: 64 } id, var name, var address]
        && id.All(char.IsAsciiHexDigit) && HostPort.TryParse(address, out _)
            ? new(NodeId.FromBytes(Convert.FromHexString(id)), default, name, address)
            : null;
}
