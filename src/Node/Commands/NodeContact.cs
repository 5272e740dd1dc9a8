using System.CommandLine;
using System.Security.Cryptography.X509Certificates;
using ChordChat.Node.Base;
using ChordChat.Node.Identity;
using Grpc.Core;
using Grpc.Net.Client;

namespace ChordChat.Node.Commands;

/// <summary>A running node that a command talks to, proved by the authority in the operator's folder.</summary>
internal sealed class NodeContact : IDisposable
{
    private static readonly TimeSpan AnswerMax = TimeSpan.FromSeconds(3);
    private const int RoundsMax = 3;

    private NodeContact(string address, ClusterTrust trust, X509Certificate2? own)
    {
        Address = address;
        Channel = GrpcChannel.ForAddress($"https://{address}", new GrpcChannelOptions
        {
            HttpHandler = ClusterTls.CreateHandler(trust, own),
            DisposeHttpClient = true,
        });
    }

    public string Address { get; }

    public GrpcChannel Channel { get; }

    public static (Option<string> Data, Option<string?> Node) Options() => (
        CommandLine.DataOption("A node's folder, or the one that 'cluster init' wrote: whom to ask and to trust."),
        new Option<string?>("--node")
        {
            Description = "host:port of the node to ask. Default: the first that answers.",
        });

    /// <summary>Finds a node of the folder's cluster that answers.</summary>
    /// <exception cref="StartRefusedException">None does, or the folder knows no cluster.</exception>
    public static async Task<NodeContact> OpenAsync(string? data, string? node, CancellationToken cancellation)
    {
        var trust = TrustOf(data ?? "");
        var addresses = node is not null ? [node] : Addresses(data ?? "").ToArray();
        using var http = new HttpClient(ClusterTls.CreateHandler(trust, null)) { Timeout = AnswerMax };
        var failures = new SortedDictionary<string, string>(StringComparer.Ordinal);
        var left = addresses.ToList(); // Who is only slow is asked again: the machine may be busy.
        for (var round = 0; round < RoundsMax && left.Count > 0; round++)
            foreach (var address in left.ToArray())
                try
                {
                    using var reply = await http.GetAsync($"https://{address}/healthz", cancellation);
                    return new(address, trust, OwnOf(data ?? ""));
                }
                catch (Exception e) when (e is HttpRequestException or UriFormatException or TaskCanceledException
                    && !cancellation.IsCancellationRequested)
                {
                    failures[address] = e.InnerException?.Message ?? e.Message;
                    if (e is not TaskCanceledException)
                        left.Remove(address);
                }

        throw new StartRefusedException(
            ExitCode.Unreachable, failures.Count == 0
                ? $"no node of {data} has been started yet. Start one, or name a running one with --node HOST:PORT."
                : "no node of this cluster answers: "
                    + string.Join("; ", failures.Select(failure => $"{failure.Key}: {failure.Value}"))
                    + ". Start one, or name one by --node.");
    }

    /// <summary>Makes a call and says a refusal in words.</summary>
    public async Task CallAsync(Func<Task> call)
    {
        try
        {
            await call();
        }
        catch (RpcException e)
        {
            throw new StartRefusedException(
                ExitCode.Unreachable,
                $"{Address} did not answer this: {PeerWords.Quote(e.Status.Detail)} ({e.StatusCode}).");
        }
    }

    public void Dispose() => Channel.Dispose();

    /// <summary>The folder's own node, or all nodes below it that have been started.</summary>
    public static IEnumerable<string> Addresses(string data) =>
        new[] { data }.Concat(NodeFolders(data)).Select(AddressFile.Read).OfType<string>();

    private static string[] NodeFolders(string data) =>
        Directory.Exists(Path.Combine(data, "nodes"))
            ? [.. Directory.GetDirectories(Path.Combine(data, "nodes")).Order(StringComparer.Ordinal)]
            : [];

    /// <summary>What the folder can prove: that it is the operator's, or a node's. Nodes tell more to both than to
    /// strangers.</summary>
    private static X509Certificate2? OwnOf(string data)
    {
        try
        {
            if (new ClusterFolder(data) is { Exists: true } cluster)
            {
                using var authority = cluster.OpenAuthority();
                return authority.IssueOperator(DateTimeOffset.UtcNow);
            }

            return new[] { data }.Concat(NodeFolders(data))
                .Where(folder => File.Exists(Path.Combine(folder, $"{NodeIdentity.KeyName}.key")))
                .Select(folder => NodeIdentity.Read(folder).Certificate).FirstOrDefault();
        }
        catch (StartRefusedException)
        {
            return null; // The question may do without.
        }
    }

    private static ClusterTrust TrustOf(string data)
    {
        var folder = new[] { data, Path.Combine(data, "cluster") }.Concat(NodeFolders(data))
            .FirstOrDefault(folder => File.Exists(Path.Combine(folder, GenesisFile.FileName)))
            ?? throw new StartRefusedException(
                ExitCode.NoNode, $"there is neither a node nor a cluster in {data}. Name a node's folder with --data.");
        var file = Path.Combine(folder, GenesisFile.FileName);
        try
        {
            var (genesis, authority) = GenesisFile.Read(File.ReadAllBytes(file));
            return new(authority, Denials.ReadList(folder, genesis.ClusterHex, authority));
        }
        catch (FormatException e)
        {
            throw new StartRefusedException(ExitCode.Damaged, $"{file} is not to be trusted: {e.Message}.");
        }
    }
}
