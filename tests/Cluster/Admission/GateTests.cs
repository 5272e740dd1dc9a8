using System.Buffers.Binary;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using ChordChat.Crypto;
using ChordChat.Node;
using ChordChat.Node.Identity;
using ChordChat.Node.Links;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace ChordChat.Tests.Cluster.Admission;

/// <summary>docs/security.md, "The gate": every endpoint of a real node, called by everybody in every
/// spelling.</summary>
public sealed class GateTests : IAsyncLifetime
{
    private static readonly string[] OpenToEverybody =
    [
        "/authority", "/denied", "/healthz", "/join/{id}", "/readyz", "/chordchat.v1.Chat/*", "/chordchat.v1.View/*",
        "/grpc.health.v1.Health/*",
    ];

    private static readonly Func<string, string>[] Spellings =
    [
        path => path,
        path => path.ToUpperInvariant(),
        path => path.ToLowerInvariant(),
        path => string.Concat(path.Select(c => char.IsUpper(c) ? char.ToLowerInvariant(c) : char.ToUpperInvariant(c))),
        path => path + "/",
        path => "/" + path,
        path => path.Replace("/", "//", StringComparison.Ordinal),
        path => "/." + path,
        path => "/x/.." + path,
        path => string.Concat(path.Select(c => char.IsAsciiLetter(c) ? $"%{(int)c:x2}" : $"{c}")),
        path => string.Concat(path.Select((c, i) => i > 0 && c == '/' ? "%2f" : $"{c}")),
    ];

    private readonly Founded _cluster = Founded.Of(2);
    private RunningNode _node = null!;

    public async Task InitializeAsync() => _node = await _cluster.StartAsync("n1");

    public async Task DisposeAsync() => await _cluster.DisposeAsync();

    private RouteEndpoint[] Endpoints =>
        [.. _node.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()];

    [Fact]
    public void Nothing_is_open_to_everybody_that_is_not_on_this_list() => Assert.Equal(
        OpenToEverybody.Order(StringComparer.Ordinal),
        Endpoints.Where(endpoint => Gate.OpenedTo(endpoint).HasFlag(Callers.Everybody))
            .Select(endpoint => endpoint.RoutePattern.RawText!)
            .Select(route => route.Contains(".v1", StringComparison.Ordinal)
                ? $"/{route[..route.LastIndexOf('/')].TrimStart('/')}/*" : route)
            .Distinct().Order(StringComparer.Ordinal));

    [Fact]
    public async Task A_stranger_gets_nowhere_else_however_he_spells_it() =>
        await NobodyGetsPastAsync(Callers.Everybody, null);

    [Fact]
    public async Task A_node_of_another_authority_is_a_stranger()
    {
        await using var other = Founded.Of(1);
        await NobodyGetsPastAsync(Callers.Everybody, other.Identity("n1").Certificate);
    }

    [Fact]
    public async Task An_operator_of_another_authority_is_a_stranger()
    {
        await using var other = Founded.Of(1);
        using var authority = other.Cluster.OpenAuthority();
        using var certificate = authority.IssueOperator(DateTimeOffset.UtcNow);
        await NobodyGetsPastAsync(Callers.Everybody, certificate);
    }

    [Fact]
    public async Task A_member_is_no_operator() =>
        await NobodyGetsPastAsync(Callers.Everybody | Callers.Members, _cluster.Identity("n2").Certificate);

    [Fact]
    public async Task An_operator_is_no_member()
    {
        using var authority = _cluster.Cluster.OpenAuthority();
        using var certificate = authority.IssueOperator(DateTimeOffset.UtcNow);
        await NobodyGetsPastAsync(Callers.Everybody | Callers.Operators, certificate);
    }

    /// <summary>docs/security.md, "The page that shows the ring".</summary>
    [Fact]
    public async Task A_page_is_a_stranger()
    {
        using var authority = _cluster.Cluster.OpenAuthority();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var now = DateTimeOffset.UtcNow;
        using var issued = authority.IssueViewer(key, CertificateName.Viewer, ClusterAuthority.ValidSince(now), now);
        using var certificate = CertificateFiles.WithKey(issued, key);
        await NobodyGetsPastAsync(Callers.Everybody, certificate);
    }

    /// <summary>16 KiB of gzip are 4 MiB to parse, and what is sealed never shrinks.</summary>
    [Fact]
    public async Task A_compressed_call_is_refused_before_it_is_read()
    {
        using var http = new HttpClient(ClusterTls.CreateHandler(_cluster.Identity("n2").Trust, null));
        Assert.Equal("0", await GetClusterAsync(http, []));
        Assert.Equal("0", await GetClusterAsync(http, [], "identity"));
        Assert.Equal("12", await GetClusterAsync(http, new byte[1_000], "gzip"));
    }

    /// <summary>A page that a visitor has open is not to reach nodes with the visitor's certificate, nor without.
    /// </summary>
    [Theory]
    [InlineData("Origin", "https://evil.example", false)]
    [InlineData("Origin", "null", false)]
    [InlineData("Sec-Fetch-Site", "cross-site", false)]
    [InlineData("Sec-Fetch-Site", "same-site", false)]
    [InlineData("Sec-Fetch-Site", "none", true)] // Typed.
    public async Task A_web_page_gets_no_answer_from_a_node(string header, string value, bool isAnswered)
    {
        using var authority = _cluster.Cluster.OpenAuthority();
        using var certificate = authority.IssueOperator(DateTimeOffset.UtcNow);
        foreach (var own in (X509Certificate2?[])[null, certificate])
        {
            using var http = new HttpClient(ClusterTls.CreateHandler(_cluster.Identity("n2").Trust, own));
            foreach (var path in (string[])["/healthz", "/authority", "/denied", "/nothing"])
            {
                using var request = new HttpRequestMessage(
                    HttpMethod.Get, $"https://{_node.Node.Self.Address}{path}");
                request.Headers.Add(header, value);
                using var answer = await http.SendAsync(request);
                Assert.Equal(isAnswered, answer.StatusCode != HttpStatusCode.Forbidden);
            }
        }
    }

    private async Task<string> GetClusterAsync(HttpClient http, byte[] message, string? compression = null)
    {
        byte[] head = [compression is "gzip" ? (byte)1 : (byte)0, .. new byte[4]];
        BinaryPrimitives.WriteInt32BigEndian(head.AsSpan(1), message.Length);
        using var request = new HttpRequestMessage(
            HttpMethod.Post, $"https://{_node.Node.Self.Address}/chordchat.v1.Chat/GetCluster")
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent([.. head, .. message]),
        };
        request.Content.Headers.ContentType = new("application/grpc");
        if (compression is not null)
            request.Headers.Add("grpc-encoding", compression);
        using var answer = await http.SendAsync(request);
        return (answer.Headers.TryGetValues("grpc-status", out var inHeaders)
            ? inHeaders : answer.TrailingHeaders.GetValues("grpc-status")).Single();
    }

    [Fact]
    public async Task What_nobody_has_opened_is_closed()
    {
        var builder = WebApplication.CreateSlimBuilder();
        await using var app = builder.Build();
        app.Urls.Add("http://127.0.0.1:0");
        app.UseRouting();
        app.UseGate();
        app.MapGet("/new", () => "new");
        app.MapGet("/opened", () => "opened").OpenTo(Callers.Everybody);
        await app.StartAsync();
        var address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!
            .Addresses.First();
        using var http = new HttpClient();
        foreach (var claimed in (string[])["text/plain", "application/grpc"])
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"{address}/new")
            {
                Content = new ByteArrayContent([]),
            };
            request.Content.Headers.ContentType = new(claimed);
            using var closed = await http.SendAsync(request);
            Assert.Equal(HttpStatusCode.Forbidden, closed.StatusCode); // The endpoint says what it is.
            Assert.Equal("this endpoint is closed", closed.Headers.GetValues(Gate.ReasonHeader).Single());
            Assert.Empty(await closed.Content.ReadAsByteArrayAsync()); // Nothing waits until it is taken.
        }

        Assert.Equal("opened", await http.GetStringAsync($"{address}/opened"));
    }

    /// <summary>Calls every endpoint that is not open to this caller in every spelling.</summary>
    private async Task NobodyGetsPastAsync(Callers caller, X509Certificate2? certificate)
    {
        using var http = new HttpClient(ClusterTls.CreateHandler(_cluster.Identity("n2").Trust, certificate));
        var closed = Endpoints.Where(endpoint => (Gate.OpenedTo(endpoint) & caller) == Callers.Nobody).ToArray();
        Assert.NotEmpty(closed);
        foreach (var endpoint in closed)
            foreach (var spelling in Spellings)
            {
                var path = spelling(PathOf(endpoint));
                using var answer = await CallAsync(http, endpoint, path);
                Assert.True(IsRefusal(answer), $"{path}: {answer}");
            }
    }

    /// <summary>By the gate, or by routing, which found nothing there; never an answer of the endpoint.</summary>
    private static bool IsRefusal(HttpResponseMessage answer) => answer.StatusCode
        is HttpStatusCode.Forbidden or HttpStatusCode.NotFound or HttpStatusCode.MethodNotAllowed
        || (answer.Headers.TryGetValues("grpc-status", out var status) && status.Single() == "7");

    private static string PathOf(RouteEndpoint endpoint) => "/" + string.Join('/', endpoint.RoutePattern.PathSegments
        .Select(segment => string.Concat(segment.Parts.Select(part => part switch
        {
            Microsoft.AspNetCore.Routing.Patterns.RoutePatternLiteralPart literal => literal.Content,
            Microsoft.AspNetCore.Routing.Patterns.RoutePatternSeparatorPart separator => separator.Content,
            _ => "7",
        }))));

    private async Task<HttpResponseMessage> CallAsync(HttpClient http, RouteEndpoint endpoint, string path)
    {
        var isGrpc = endpoint.RoutePattern.RawText!.Contains(".v1", StringComparison.Ordinal);
        var method = endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods[0] ?? "POST";
        var asWritten = new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true };
        var url = new Uri($"https://{_node.Node.Self.Address}{path}", asWritten);
        using var request = new HttpRequestMessage(new(method), url)
        {
            Version = isGrpc ? HttpVersion.Version20 : HttpVersion.Version11,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        if (method != "GET")
            request.Content = new ByteArrayContent(new byte[5]); // To gRPC: a message without fields.
        if (isGrpc)
            request.Content!.Headers.ContentType = new("application/grpc");
        return await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }
}
