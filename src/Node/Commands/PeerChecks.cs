using System.Globalization;
using System.Net;
using System.Runtime.CompilerServices;
using System.Text.Json;
using ChordChat.Node.Base;
using ChordChat.Node.Discovery;
using ChordChat.Node.Identity;
using ChordChat.Node.Operations;
using ChordChat.Node.Ring;

namespace ChordChat.Node.Commands;

/// <summary>What the doctor asks nodes: this one, if it runs, and others. Do they answer, what time do they have, have
/// they the same settings, and do they know that this node was revoked.</summary>
internal sealed class PeerChecks : IDisposable
{
    private const int NodesMax = 20;
    private static readonly TimeSpan AnswerMax = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan SkewLow = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan SkewMax = TimeSpan.FromMinutes(10);

    private readonly NodeIdentity _identity;
    private readonly HttpClient _asMember;
    private readonly HttpClient _asAnybody; // Who was revoked is answered nothing as a member.

    public PeerChecks(NodeIdentity identity)
    {
        _identity = identity;
        _asMember = Client(new ClusterTls(identity).CreateHandler(null));
        _asAnybody = Client(ClusterTls.CreateHandler(identity.Trust, null));
    }

    /// <summary>This node, the seeds and whoever is remembered.</summary>
    public static string[] Known(string data, NodeOptions options) => [.. NodeContact.Addresses(data)
        .Concat(options.Seeds.Select(seed => seed.ToString()))
        .Concat(new RememberedPeers(data).Earlier.Values.Select(peer => peer.Address))
        .Distinct().Take(NodesMax)];

    /// <summary>What the running node of this folder was told; null when it does not say.</summary>
    public async Task<Dictionary<string, string?>?> GivenAsync(string data, CancellationToken cancellation) =>
        AddressFile.Read(data) is { } address
            ? await ReadAsync<Dictionary<string, string?>>(address, OperatorEndpoints.GivenPath, cancellation)
            : null;

    /// <summary>The settings of a node that are to be the same at all; null when it does not say.</summary>
    public Task<Dictionary<string, string>?> SettingsAsync(string address, CancellationToken cancellation) =>
        ReadAsync<Dictionary<string, string>>(address, OperatorEndpoints.SettingsPath, cancellation);

    /// <summary>Learns of others whom the operator has revoked by now: a node that is off hears nothing.</summary>
    public async Task LearnDenialsAsync(IEnumerable<string> addresses, CancellationToken cancellation)
    {
        var own = _identity.Trust.Denied?.Number ?? 0;
        var told = await Task.WhenAll(addresses.Select(address => BytesAsync(
            _asAnybody, address,
            string.Create(CultureInfo.InvariantCulture, $"{DenialEndpoints.Path}?after={own}"), cancellation)));
        var newest = told.OfType<byte[]>()
            .Select(signed => DenyList.Read(signed, _identity.Genesis.ClusterHex, _identity.Trust))
            .OfType<DenyList>().MaxBy(list => list.Number);
        if (newest?.Number > own)
            _identity.Trust.Deny(newest);
    }

    /// <summary>Each node's answer and clock, then what some have otherwise than <paramref name="own"/>.</summary>
    /// <param name="self">This node's own address; null if it has none yet.</param>
    public async IAsyncEnumerable<Finding> AllAsync(
        IReadOnlyCollection<string> addresses, string? self, ClusterSettings own,
        [EnumeratorCancellation] CancellationToken cancellation)
    {
        var differ = new List<(SettingDifference Setting, string Address)>();
        foreach (var address in addresses)
        {
            yield return await ReadyAsync(address, address == self, cancellation);
            if (await SettingsAsync(address, cancellation) is { } told)
                differ.AddRange(own.Compare(told).Select(setting => (setting, address)));
        }

        if (addresses.Count == 0)
            yield return new(Verdict.Ok, "nodes", "none known yet");
        foreach (var same in differ.GroupBy(one => one.Setting, one => one.Address))
            yield return Different(same.Key, same);
    }

    /// <summary>A setting that is to be the same at all nodes and is not.</summary>
    public static Finding Different(SettingDifference setting, IEnumerable<string> addresses) => new(
        Verdict.Warn, "settings",
        $"{setting.Name} is {setting.Own} here and {PeerWords.Text(setting.Theirs)} at {string.Join(", ", addresses)}",
        "all nodes should have the same: change DATA/appsettings.json there or here, and restart that node");

    public void Dispose()
    {
        _asMember.Dispose();
        _asAnybody.Dispose();
    }

    private async Task<Finding> ReadyAsync(string address, bool isSelf, CancellationToken cancellation)
    {
        var node = isSelf ? $"this node ({address})" : address;
        try
        {
            using var reply = await _asAnybody.GetAsync($"https://{address}/readyz", cancellation);
            var skew = (reply.Headers.Date is { } theirs ? theirs - DateTimeOffset.UtcNow : TimeSpan.Zero).Duration();
            var ready = PeerWords.Text((await reply.Content.ReadAsStringAsync(cancellation)).Trim());
            // The header has whole seconds and is written once a second: less is no difference.
            var clock = isSelf ? ""
                : skew <= SkewLow ? ", its clock agrees"
                : string.Create(CultureInfo.InvariantCulture, $", its clock differs by {skew.TotalSeconds:0} s");
            var text = $"{node} answers ({ready}){clock}";
            return skew > SkewMax ? new(Verdict.Fail, "nodes", text, "set both clocks by NTP; its beacons are ignored")
                : skew > SkewLow ? new(Verdict.Warn, "nodes", text, "set both clocks by NTP")
                : reply.IsSuccessStatusCode ? new(Verdict.Ok, "nodes", text)
                : new(Verdict.Warn, "nodes", text, "wait until a majority of nodes runs");
        }
        catch (Exception e) when (IsSilence(e, cancellation))
        {
            return new(
                Verdict.Warn, "nodes", $"{node} does not answer ({e.InnerException?.Message ?? e.Message})",
                "check that it runs, that its port is open, and that it is of this cluster");
        }
    }

    private async Task<T?> ReadAsync<T>(string address, string path, CancellationToken cancellation)
        where T : class
    {
        try
        {
            return await BytesAsync(_asMember, address, path, cancellation) is { } json
                ? JsonSerializer.Deserialize<T>(json)
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static async Task<byte[]?> BytesAsync(
        HttpClient http, string address, string path, CancellationToken cancellation)
    {
        try
        {
            using var reply = await http.GetAsync($"https://{address}{path}", cancellation);
            return reply.StatusCode == HttpStatusCode.OK
                ? await reply.Content.ReadAsByteArrayAsync(cancellation)
                : null;
        }
        catch (Exception e) when (IsSilence(e, cancellation))
        {
            return null;
        }
    }

    private static bool IsSilence(Exception e, CancellationToken cancellation) =>
        e is HttpRequestException or UriFormatException or IOException
        || (e is TaskCanceledException && !cancellation.IsCancellationRequested);

    private static HttpClient Client(HttpMessageHandler handler) =>
        new(handler) { Timeout = AnswerMax, MaxResponseContentBufferSize = 1 << 20 };
}
