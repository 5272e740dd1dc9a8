using System.Text.Json;
using ChordChat.Core.Replication;
using ChordChat.Node.Admission;
using ChordChat.Node.Replication;
using ChordChat.Node.Transport;

namespace ChordChat.Node.Hosting;

/// <summary>Asks nodes as the holder of the authority's key: what they hold of a tile, and to take an order.</summary>
internal sealed class OperatorContact(ClusterAuthority authority, DateTimeOffset now) : IDisposable
{
    private static readonly TimeSpan AnswerMax = TimeSpan.FromSeconds(5);

    private readonly HttpClient _http = new(ClusterTls.CreateHandler(
        new ClusterTrust(authority.Certificate), authority.IssueOperator(now)))
    {
        Timeout = AnswerMax,
    };

    /// <summary>All tiles of the cluster, as the first of these nodes that answers knows them.</summary>
    /// <exception cref="StartRefusedException">Nobody answers.</exception>
    public async Task<IReadOnlyList<TileId>> TilesAsync(
        IReadOnlyCollection<string> addresses, CancellationToken cancellation)
    {
        foreach (var address in addresses)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"https://{address}/tiles");
            if (await CallAsync<string[]>(request, cancellation) is { } names)
                return [.. names.Select(name => TileId.TryParse(name, out var tile)
                    ? tile
                    : throw new StartRefusedException(ExitCode.Unreachable, $"{address} runs another version."))];
        }

        throw Nobody(addresses);
    }

    public static StartRefusedException Nobody(IReadOnlyCollection<string> addresses) => new(
        ExitCode.Unreachable, $"no node of this cluster answers at {string.Join(", ", addresses)}. Start one, or name "
        + "a running one with --node HOST:PORT.");

    /// <summary>What the node at an address holds of a tile; null when it does not answer.</summary>
    /// <exception cref="StartRefusedException">It answers that there is no such tile.</exception>
    public async Task<TileReport?> AskAsync(string address, TileId tile, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"https://{address}/tiles/{tile}");
        return await CallAsync(request, tile, cancellation);
    }

    /// <summary>Gives an order; null when the node did not take it.</summary>
    /// <param name="signed">As <see cref="RecoveryOrder.Sign"/> wrote it.</param>
    public async Task<TileReport?> OrderAsync(
        string address, TileId tile, byte[] signed, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, $"https://{address}/recover")
        {
            Content = new ByteArrayContent(signed),
        };
        return await CallAsync(request, tile, cancellation);
    }

    /// <summary>What the node at an address answers; null when it does not, or refuses.</summary>
    public async Task<byte[]?> GetAsync(string address, string path, CancellationToken cancellation)
    {
        try
        {
            using var reply = await _http.GetAsync($"https://{address}{path}", cancellation);
            return reply.IsSuccessStatusCode ? await reply.Content.ReadAsByteArrayAsync(cancellation) : null;
        }
        catch (Exception e) when (IsSilence(e, cancellation))
        {
            return null;
        }
    }

    /// <summary>Hands something to the node at an address; null when it does not answer.</summary>
    public async Task<System.Net.HttpStatusCode?> PutAsync(
        string address, string path, byte[] body, CancellationToken cancellation)
    {
        try
        {
            using var content = new ByteArrayContent(body);
            using var reply = await _http.PutAsync($"https://{address}{path}", content, cancellation);
            return reply.StatusCode;
        }
        catch (Exception e) when (IsSilence(e, cancellation))
        {
            return null;
        }
    }

    /// <summary>The nodes that run, as the one at an address sees them; null when it does not answer.</summary>
    public async Task<DenyListHolder[]?> HoldersAsync(string address, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"https://{address}{DenialEndpoints.HoldersPath}");
        return await CallAsync<DenyListHolder[]>(request, cancellation) is { } told ? Plain(told) : null;
    }

    /// <summary>Names and addresses are printed, and names become folders.</summary>
    internal static DenyListHolder[] Plain(IEnumerable<DenyListHolder?> told) =>
    [
        .. told.OfType<DenyListHolder>().Select(node => node with
        {
            Name = PeerWords.Name(node.Name ?? ""), Address = PeerWords.Text(node.Address ?? ""),
        }),
    ];

    public void Dispose() => _http.Dispose();

    private Task<TileReport?> CallAsync(HttpRequestMessage request, TileId tile, CancellationToken cancellation) =>
        CallAsync<TileReport>(
            request, cancellation, $"there is no tile {tile}. 'chordchat-node where NAME' prints a user's tile.");

    private async Task<T?> CallAsync<T>(
        HttpRequestMessage request, CancellationToken cancellation, string? notFound = null)
        where T : class
    {
        try
        {
            using var reply = await _http.SendAsync(request, cancellation);
            if (notFound is not null && reply.StatusCode == System.Net.HttpStatusCode.NotFound)
                throw new StartRefusedException(ExitCode.Usage, notFound);
            return reply.IsSuccessStatusCode
                ? await reply.Content.ReadFromJsonAsync<T>(cancellation)
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
