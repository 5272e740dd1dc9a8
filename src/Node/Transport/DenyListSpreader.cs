using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Threading.Channels;
using ChordChat.Core.Ring;
using ChordChat.Node.Admission;
using ChordChat.Node.Hosting;
using ChordChat.Node.Ring;

namespace ChordChat.Node.Transport;

/// <summary>Fetches the deny list from whoever says in a probe that it has a newer one, and carries it out.</summary>
/// <remarks>docs/protocol.md#ring-deny-list. One question at a time; who claimed a newer list and had none is not asked
/// again for a while.</remarks>
internal sealed partial class DenyListSpreader(
    Denials denials, ClusterTrust trust, ClusterTls tls, RingDriver ring, PeerChannels channels, DenyListNews news,
    LocalNode node, TimeProvider time, ILogger<DenyListSpreader> logger) : BackgroundService
{
    private static readonly TimeSpan AnswerMax = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Distrust = TimeSpan.FromMinutes(1);

    private readonly Dictionary<string, long> _empty = []; // Address, and when it had nothing.

    /// <summary>Every member that answers, this node first.</summary>
    public DenyListHolder[] Holders() =>
    [
        new(node.Self.Name, node.Self.Node.ToString(), node.Self.Address, denials.Number),
        .. ring.Now.Members.Live.Select(peer => new DenyListHolder(
            peer.Name, peer.Node.ToString(), peer.Address, news.NumberOf(peer.Node))),
    ];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        denials.Changed += CarryOut;
        if (trust.Denied is { } known)
            CarryOut(known);
        await foreach (var address in news.ReadAllAsync(stoppingToken))
        {
            if (_empty.TryGetValue(address, out var at) && time.GetElapsedTime(at) < Distrust)
                continue;
            if (await FetchAsync(address, stoppingToken))
                continue;
            if (_empty.Count >= DenyListNews.WaitingMax)
                _empty.Clear();
            _empty[address] = time.GetTimestamp();
        }
    }

    private void CarryOut(DenyList list)
    {
        ring.TryGive(now => new MembershipInput.Denied(now, list.Nodes));
        foreach (var denied in list.Nodes)
            channels.Close(denied);
    }

    /// <returns>False when it had nothing newer.</returns>
    private async Task<bool> FetchAsync(string address, CancellationToken stopping)
    {
        try
        {
            using var http = new HttpClient(tls.CreateHandler(null))
            {
                Timeout = AnswerMax,
                MaxResponseContentBufferSize = DenyList.BytesMax,
            };
            var after = denials.Number.ToString(CultureInfo.InvariantCulture);
            using var reply = await http.GetAsync($"https://{address}{DenialEndpoints.Path}?after={after}", stopping);
            return reply.StatusCode == HttpStatusCode.OK
                && denials.Take(await reply.Content.ReadAsByteArrayAsync(stopping)) is DenyListVerdict.Taken;
        }
        catch (Exception e) when (e is HttpRequestException or UriFormatException or IOException
            || (e is TaskCanceledException && !stopping.IsCancellationRequested))
        {
            LogFailed(address, e.Message);
            return false;
        }
    }

    [LoggerMessage(3020, LogLevel.Warning, "the deny list of {Address} could not be taken: {Why}")]
    private partial void LogFailed(string address, string why);
}

/// <summary>Who may have a newer deny list, as probes tell it. Safe for threads.</summary>
internal sealed class DenyListNews(ClusterTrust trust)
{
    public const int WaitingMax = 256;

    private readonly ConcurrentDictionary<NodeId, ulong> _numbers = new();
    private readonly Channel<string> _addresses = Channel.CreateBounded<string>(
        new BoundedChannelOptions(WaitingMax) { SingleReader = true, FullMode = BoundedChannelFullMode.DropWrite });

    /// <summary>What goes into this node's probes.</summary>
    public ulong Own => trust.Denied?.Number ?? 0;

    public ulong NumberOf(NodeId node) => _numbers.GetValueOrDefault(node);

    public IAsyncEnumerable<string> ReadAllAsync(CancellationToken stopping) =>
        _addresses.Reader.ReadAllAsync(stopping);

    /// <param name="address">Where it is known to be; null when it is not known yet.</param>
    public void Heard(NodeId node, ulong number, string? address)
    {
        _numbers[node] = number;
        if (number > Own && address is { Length: > 0 })
            _addresses.Writer.TryWrite(address);
    }

    /// <summary>The node at this address answers this one as nobody: perhaps because it was denied.</summary>
    public void Refused(string address) => _addresses.Writer.TryWrite(address);
}
