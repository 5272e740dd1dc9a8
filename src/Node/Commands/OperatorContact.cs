using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using ChordChat.Node.Base;
using ChordChat.Node.Identity;
using ChordChat.Node.Operations;
using ChordChat.Node.Ring;
using ChordChat.Node.Tiles;

namespace ChordChat.Node.Commands;

/// <summary>Asks nodes as the holder of the authority's key: what they hold of a tile, and to take an order.</summary>
/// <remarks>docs/protocol.md#generations, "Whose report it is". Safe for threads.</remarks>
/// <param name="denied">Nodes that it does not connect to; null: it connects to every node of the cluster.</param>
internal sealed class OperatorContact(ClusterAuthority authority, DenyList? denied, DateTimeOffset now) : IDisposable
{
    private const int AtOnceMax = 256;
    private const int AnswerBytesMax = 8 << 20;
    private static readonly TimeSpan AnswerMax = TimeSpan.FromSeconds(5);

    private readonly ClusterTrust _trust = new(authority.Certificate, denied);
    private readonly X509Certificate2 _own = authority.IssueOperator(now);
    private readonly ConcurrentDictionary<string, Lazy<OperatorLink>> _links = [];
    private readonly ConcurrentDictionary<NodeId, string> _homes = [];
    private readonly SemaphoreSlim _turns = new(AtOnceMax);

    /// <summary>How many addresses it asks about tiles: as many as a ring has members.</summary>
    public int AddressesMax { get; init; } = 4_096;

    /// <summary>What tiles the node at an address lists; null when it does not answer or lists none.</summary>
    public async Task<HashSet<TileId>?> TilesAsync(string address, CancellationToken cancellation)
    {
        await _turns.WaitAsync(cancellation);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"https://{address}/tiles");
            if (await CallAsync<string?[]>(address, request, cancellation) is not { Length: > 0 } names)
                return null;
            var tiles = new HashSet<TileId>();
            foreach (var name in names)
                if (TileId.TryParse(name ?? "", out var tile))
                    tiles.Add(tile);
                else
                    return null;
            return tiles;
        }
        finally
        {
            _turns.Release();
        }
    }

    public static StartRefusedException Nobody(IReadOnlyCollection<string> addresses) => new(
        ExitCode.Unreachable, $"no node of this cluster answers at {string.Join(", ", addresses)}. Start one, or name "
        + "a running one with --node HOST:PORT.");

    /// <summary>Asks the node at an address what it holds of a tile. An address where no node ever answered, or a node
    /// that was met at another address, is not asked again.</summary>
    public async Task<TileReply> AskAsync(string address, TileId tile, CancellationToken cancellation)
    {
        if (!_links.ContainsKey(address) && _links.Count >= AddressesMax)
            return new(address);
        var link = LinkTo(address);
        if (link.IsUseless)
            return new(address);
        await _turns.WaitAsync(cancellation);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"https://{address}/tiles/{tile}");
            using var reply = await link.Http.SendAsync(request, cancellation);
            if (link.Shown is not { } by || _homes.GetOrAdd(by.Node, address) != address)
            {
                link.IsUseless = true;
                return new(address);
            }

            return reply.StatusCode == HttpStatusCode.NotFound ? new(address, by, IsUnknown: true)
                : reply.IsSuccessStatusCode
                    ? Read(address, by, tile, await reply.Content.ReadAsByteArrayAsync(cancellation))
                    : new(address, by);
        }
        catch (Exception e) when (IsSilence(e, cancellation))
        {
            link.IsUseless |= link.Shown is null;
            return new(address);
        }
        finally
        {
            _turns.Release();
        }
    }

    /// <summary>Gives an order; false when the node did not take it.</summary>
    /// <param name="signed">As <see cref="RecoveryOrder.Sign"/> wrote it.</param>
    public async Task<bool> OrderAsync(string address, byte[] signed, CancellationToken cancellation) =>
        await PutAsync(address, "/recover", signed, cancellation) is HttpStatusCode.OK;

    /// <summary>What the node at an address answers; null when it does not, or refuses.</summary>
    public async Task<byte[]?> GetAsync(string address, string path, CancellationToken cancellation)
    {
        try
        {
            using var reply = await LinkTo(address).Http.GetAsync($"https://{address}{path}", cancellation);
            return reply.IsSuccessStatusCode ? await reply.Content.ReadAsByteArrayAsync(cancellation) : null;
        }
        catch (Exception e) when (IsSilence(e, cancellation))
        {
            return null;
        }
    }

    /// <summary>Hands something to the node at an address; null when it does not answer.</summary>
    public async Task<HttpStatusCode?> PutAsync(
        string address, string path, byte[] body, CancellationToken cancellation)
    {
        try
        {
            using var content = new ByteArrayContent(body);
            using var reply = await LinkTo(address).Http.PutAsync($"https://{address}{path}", content, cancellation);
            return reply.StatusCode;
        }
        catch (Exception e) when (IsSilence(e, cancellation))
        {
            return null;
        }
    }

    /// <summary>Whose certificate was shown at an address; null when nobody was asked there or answered.</summary>
    public NodeCertificate? ShownAt(string address) => _links.GetValueOrDefault(address)?.Value.Shown;

    /// <summary>The nodes that run, as the one at an address sees them; null when it does not answer.</summary>
    public async Task<DenyListHolder[]?> HoldersAsync(string address, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"https://{address}{DenialEndpoints.HoldersPath}");
        return await CallAsync<DenyListHolder[]>(address, request, cancellation) is { } told ? Plain(told) : null;
    }

    /// <summary>Makes names and addresses safe to print; names become folders as well.</summary>
    internal static DenyListHolder[] Plain(IEnumerable<DenyListHolder?> told) =>
    [
        .. told.OfType<DenyListHolder>().Select(node => node with
        {
            Name = PeerWords.Name(node.Name ?? ""), Address = PeerWords.Text(node.Address ?? ""),
        }),
    ];

    public void Dispose()
    {
        foreach (var link in _links.Values)
            link.Value.Http.Dispose();
        _own.Dispose();
        _turns.Dispose();
    }

    private OperatorLink LinkTo(string address) => _links.GetOrAdd(
        address, _ => new(() => new(_trust, _own, AnswerMax, AnswerBytesMax))).Value;

    private static TileReply Read(string address, NodeCertificate by, TileId tile, byte[] json)
    {
        try
        {
            return JsonSerializer.Deserialize<TileReport>(json, JsonSerializerOptions.Web) is { } report
                ? new(address, by, report.Read(by, tile))
                : new(address, by, Why: "it is empty");
        }
        catch (JsonException)
        {
            return new(address, by, Why: "it is not JSON that this version knows");
        }
        catch (FormatException e)
        {
            return new(address, by, Why: e.Message);
        }
    }

    private async Task<T?> CallAsync<T>(string address, HttpRequestMessage request, CancellationToken cancellation)
        where T : class
    {
        try
        {
            using var reply = await LinkTo(address).Http.SendAsync(request, cancellation);
            return reply.IsSuccessStatusCode
                ? JsonSerializer.Deserialize<T>(
                    await reply.Content.ReadAsByteArrayAsync(cancellation), JsonSerializerOptions.Web)
                : null;
        }
        catch (Exception e) when (IsSilence(e, cancellation))
        {
            return null;
        }
    }

    private static bool IsSilence(Exception e, CancellationToken cancellation) =>
        e is HttpRequestException or UriFormatException or JsonException or IOException
        || (e is TaskCanceledException && !cancellation.IsCancellationRequested);
}

/// <summary>What came of asking the node at an address about a tile.</summary>
/// <param name="By">The node whose certificate was shown; null: nobody answered, or only a node that was asked before.
/// </param>
/// <param name="Told">Its report; null when it gave no valid one.</param>
/// <param name="Why">Why what it said is not a valid report.</param>
/// <param name="IsUnknown">It says that there is no such tile.</param>
internal sealed record TileReply(
    string Address, NodeCertificate? By = null, ToldTile? Told = null, string? Why = null, bool IsUnknown = false);

/// <summary>Connections to one address at which one node answers, and no other.</summary>
internal sealed class OperatorLink
{
    private NodeCertificate? _shown;
    private volatile bool _isUseless;

    public OperatorLink(ClusterTrust trust, X509Certificate2 own, TimeSpan answerMax, int answerBytesMax) =>
        Http = new(ClusterTls.CreateHandler(trust, own, IsTheSame))
        {
            Timeout = answerMax,
            MaxResponseContentBufferSize = answerBytesMax,
        };

    public HttpClient Http { get; }

    /// <summary>Who answers there; null until somebody has.</summary>
    public NodeCertificate? Shown => Volatile.Read(ref _shown);

    /// <summary>Nobody answered there, or somebody who was met at another address.</summary>
    public bool IsUseless
    {
        get => _isUseless;
        set => _isUseless = value;
    }

    private bool IsTheSame(NodeCertificate node) =>
        (Interlocked.CompareExchange(ref _shown, node, null) ?? node).Node == node.Node;
}
