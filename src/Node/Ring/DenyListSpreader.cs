using System.Globalization;
using System.Net;
using ChordChat.Core.Ring;
using ChordChat.Node.Base;
using ChordChat.Node.Identity;
using ChordChat.Node.Links;

namespace ChordChat.Node.Ring;

/// <summary>Fetches the deny list from whoever says in a probe that it has a newer one, and carries it out.</summary>
/// <remarks>docs/protocol.md#ring-deny-list. One question at a time; who claimed a newer list and had none is not asked
/// again for a minute, who did not answer for some seconds.</remarks>
internal sealed partial class DenyListSpreader(
    Denials denials, ClusterTrust trust, ClusterTls tls, RingDriver ring, PeerChannels channels, DenyListNews news,
    LocalNode node, TimeProvider time, ILogger<DenyListSpreader> logger) : ILoop
{
    /// <summary>Where every node tells its deny list.</summary>
    public const string Path = "/denied";

    private static readonly TimeSpan AnswerMax = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan StrangersAnswerMax = TimeSpan.FromSeconds(1);

    private readonly LineBudget _failedLines = new(1);
    private readonly DenyListDoubts _doubts = new(time);

    /// <summary>Every member that answers, this node first.</summary>
    public DenyListHolder[] Holders() =>
    [
        new(node.Self.Name, node.Self.Node.ToString(), node.Self.Address, denials.Number),
        .. ring.Now.Members.Live.Select(peer => new DenyListHolder(
            peer.Name, peer.Node.ToString(), peer.Address, news.NumberOf(peer.Node))),
    ];

    public async Task RunAsync(CancellationToken stopping)
    {
        denials.Changed += CarryOut;
        try
        {
            if (trust.Denied is { } known)
                CarryOut(known);
            await foreach (var claim in news.ReadAllAsync(stopping))
                if (_doubts.IsWorthAsking(claim, denials.Number))
                    _doubts.Judge(claim, await FetchAsync(claim, stopping), denials.Number);
        }
        finally
        {
            denials.Changed -= CarryOut;
        }
    }

    private void CarryOut(DenyList list)
    {
        ring.TryGive(now => new MembershipInput.Denied(now, list.Nodes));
        foreach (var denied in list.Nodes)
            channels.Close(denied);
    }

    private async Task<DenyListFetch> FetchAsync(DenyListClaim claim, CancellationToken stopping)
    {
        try
        {
            using var http = new HttpClient(tls.CreateHandler(null))
            {
                Timeout = claim.Node is null ? StrangersAnswerMax : AnswerMax,
                MaxResponseContentBufferSize = DenyList.BytesMax,
            };
            var after = denials.Number.ToString(CultureInfo.InvariantCulture);
            var path = $"https://{claim.Address}{Path}?after={after}";
            using var reply = await http.GetAsync(path, stopping);
            if (reply.StatusCode != HttpStatusCode.OK)
                return DenyListFetch.Nothing;
            return denials.Take(await reply.Content.ReadAsByteArrayAsync(stopping)) is DenyListVerdict.NoList
                ? DenyListFetch.Nothing
                : DenyListFetch.List;
        }
        catch (Exception e) when (e is HttpRequestException or UriFormatException or IOException
            || (e is TaskCanceledException && !stopping.IsCancellationRequested))
        {
            if (_failedLines.Allows((long)time.GetElapsedTime(0).TotalMilliseconds, out var unsaid))
                LogFailed(claim.Address, e.Message, unsaid);
            return DenyListFetch.NoAnswer;
        }
    }

    [LoggerMessage(3020, LogLevel.Warning,
        "the deny list of {Address} could not be taken: {Why} ({Unsaid} more since the last such line)")]
    private partial void LogFailed(string address, string why, long unsaid);
}

/// <summary>A living node, and the deny list that it was last heard to have.</summary>
/// <param name="Number">Of its list; 0: none.</param>
internal sealed record DenyListHolder(string Name, string Node, string Address, ulong Number);
