using System.Net;
using System.Security.Cryptography.X509Certificates;
using ChordChat.Crypto;
using ChordChat.Node.Identity;
using ChordChat.Wire;
using Grpc.Net.Client;
using Xunit;

namespace ChordChat.Tests.Cluster.Admission;

/// <summary>Whom a node tells names of people, and what the certificate for that does not open.</summary>
public sealed class ViewerTests : IAsyncLifetime
{
    private readonly Founded _cluster = Founded.Of(2);
    private string _address = "";

    public async Task InitializeAsync() => _address = (await _cluster.StartAsync("n1")).Node.Self.Address;

    public async Task DisposeAsync() => await _cluster.DisposeAsync();

    [Fact]
    public async Task Names_are_hidden_from_everybody_but_operators_and_their_pages()
    {
        using var viewer = MakeViewer();
        using var authority = _cluster.Cluster.OpenAuthority();
        using var operators = authority.IssueOperator(DateTimeOffset.UtcNow);
        await using var other = Founded.Of(1);
        using var strange = MakeViewer(other);

        Assert.False(await AreNamesHiddenAsync(viewer));
        Assert.False(await AreNamesHiddenAsync(operators));
        Assert.True(await AreNamesHiddenAsync(null));
        Assert.True(await AreNamesHiddenAsync(_cluster.Identity("n2").Certificate)); // A node is no page.
        Assert.True(await AreNamesHiddenAsync(strange));
    }

    [Fact]
    public async Task A_page_may_not_do_what_an_operator_may()
    {
        using var viewer = MakeViewer();
        using var http = new HttpClient(ClusterTls.CreateHandler(_cluster.Identity("n2").Trust, viewer));
        using var content = new ByteArrayContent([1]);

        using var invite = await http.PutAsync($"https://{_address}/invites/00112233?expires=1", content);
        Assert.Equal(HttpStatusCode.Forbidden, invite.StatusCode);
        using var drain = await http.PostAsync($"https://{_address}/operator/drain", null);
        Assert.Equal(HttpStatusCode.Forbidden, drain.StatusCode);
    }

    /// <summary>Whoever has a page's certificate could otherwise answer as a node and be sent login secrets.</summary>
    [Fact]
    public void A_client_takes_neither_a_page_nor_an_operator_for_a_node()
    {
        using var viewer = MakeViewer();
        using var authority = _cluster.Cluster.OpenAuthority();
        using var operators = authority.IssueOperator(DateTimeOffset.UtcNow);
        var node = _cluster.Identity("n1");
        foreach (var isPinned in (bool[])[false, true])
        {
            var trust = isPinned ? new ChordChat.Sdk.Nodes.ClusterTrust(node.Trust.Authority.RawData) : new(null);

            Assert.False(trust.Pin(node.Trust.Authority.RawData, viewer));
            Assert.False(trust.Pin(node.Trust.Authority.RawData, operators));
            Assert.Equal(!isPinned, trust.Accepts(viewer)); // Before the pin it is judged by that.
            Assert.True(trust.Pin(node.Trust.Authority.RawData, node.Certificate));
            Assert.True(trust.Accepts(node.Certificate));
        }
    }

    private X509Certificate2 MakeViewer(Founded? of = null)
    {
        var folder = Path.Combine(_cluster.Folder, of is null ? "page" : "strange-page");
        (of ?? _cluster).Cluster.WriteViewer(folder, DateTimeOffset.UtcNow);
        return CertificateFiles.Read(folder, CertificateName.Viewer);
    }

    private async Task<bool> AreNamesHiddenAsync(X509Certificate2? certificate)
    {
        using var channel = GrpcChannel.ForAddress($"https://{_address}", new()
        {
            HttpHandler = ClusterTls.CreateHandler(_cluster.Identity("n2").Trust, certificate),
            DisposeHttpClient = true,
        });
        using var watch = new View.ViewClient(channel).Watch(
            new WatchRequest(), deadline: DateTime.UtcNow.AddSeconds(60));
        Assert.True(await watch.ResponseStream.MoveNext(CancellationToken.None));
        return watch.ResponseStream.Current.NamesHidden;
    }
}
