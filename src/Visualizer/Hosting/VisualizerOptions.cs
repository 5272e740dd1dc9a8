using System.Net;
using ChordChat.Visualizer.Finding;

namespace ChordChat.Visualizer.Hosting;

/// <summary>What a start of the visualizer is told.</summary>
internal sealed record VisualizerOptions
{
    public const int DefaultPort = 7480;

    private static readonly string[] LoopbackNames = ["localhost", "127.0.0.1", "[::1]"];

    /// <summary>Where the page is served; 0 takes any free port.</summary>
    public int Port { get; init; } = DefaultPort;

    /// <summary>Where to listen. Anything but a loopback name shows user names to whoever can reach it.</summary>
    public string Listen { get; init; } = "localhost";

    /// <summary>Names and addresses beside those of loopback that people open the page by.</summary>
    public IReadOnlyList<string> HostNames { get; init; } = [];

    /// <summary>The folder with viewer.crt and viewer.key, for which nodes name who is online; null for counts
    /// only.</summary>
    public string? Viewer { get; init; }

    /// <summary>host:port of nodes to begin with. With none, it looks for one.</summary>
    public IReadOnlyList<string> Nodes { get; init; } = [];

    /// <summary>The file that says which nodes there are and whose certificates to believe; null for none.</summary>
    public string? ClusterFile { get; init; }

    /// <summary>Whether it may ask by multicast and try the usual local ports, when no node was named.</summary>
    public bool Search { get; init; } = true;

    public bool IsLoopback => Listen is "localhost" or "127.0.0.1" or "::1" or "[::1]";

    /// <summary>Whether a request for this host is meant for the page. Wherever it listens: a page elsewhere whose name
    /// was bent to this machine must not read who is online here.</summary>
    /// <param name="host">From the request, without the port; an IPv6 address in brackets.</param>
    public bool AnswersTo(string host) =>
        LoopbackNames.Concat(HostNames).Contains(host.TrimEnd('.'), StringComparer.OrdinalIgnoreCase);

    /// <summary>Everything wrong with these values, not only the first thing.</summary>
    public IEnumerable<string> Problems()
    {
        if (Port is < 0 or > 65535)
            yield return $"--port is {Port}; it must be 1 to 65535, or 0 for any free one.";
        if (Listen is not ("localhost" or "*") && !IPAddress.TryParse(Listen.Trim('[', ']'), out _))
            yield return $"--listen is \"{Listen}\"; it must be localhost, an address of this machine, or * for all.";
        foreach (var node in Nodes.Where(node => !Addresses.IsAddress(node)))
            yield return $"--node is \"{node}\"; it must be host:port, like localhost:7401.";
        foreach (var name in HostNames.Where(name => Uri.CheckHostName(name) == UriHostNameType.Unknown))
            yield return $"--host-name is \"{name}\"; it must be a name or an address without a port, like ring.lan.";
        if (Viewer is not null && !File.Exists(Path.Combine(Viewer, "viewer.key")))
            yield return $"--viewer is {Viewer}, where no viewer.key is; 'chordchat-node cluster viewer' makes it.";
        if (ClusterFile is not null && !File.Exists(ClusterFile))
            yield return $"CHORDCHAT_CLUSTER names {ClusterFile}, which is not there.";
        else if (ClusterFile is not null && Finding.ClusterFile.Read(ClusterFile).Authority is null)
            yield return $"CHORDCHAT_CLUSTER names {ClusterFile}, but no authority's certificate can be read there. "
                + "The page would believe whoever answers first. ./startup.sh writes the file anew.";
    }
}
