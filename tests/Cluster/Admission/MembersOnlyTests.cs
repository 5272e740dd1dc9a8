using ChordChat.Core.Ring;
using ChordChat.Node.Identity;
using ChordChat.Wire;
using Grpc.Core;
using Grpc.Net.Client;
using Xunit;

namespace ChordChat.Tests.Cluster.Admission;

public sealed class MembersOnlyTests : IAsyncLifetime
{
    private readonly Founded _cluster = Founded.Of(2);
    private string _address = "";

    public async Task InitializeAsync() => _address = (await _cluster.StartAsync("n1")).Node.Self.Address;

    public async Task DisposeAsync() => await _cluster.DisposeAsync();

    [Fact]
    public async Task A_member_is_let_in() =>
        Assert.NotEqual(StatusCode.PermissionDenied, await AskRingAsync(Tls("n2").CreateHandler(null)));

    [Fact]
    public async Task A_client_without_a_certificate_is_not_a_member() => Assert.Equal(
        StatusCode.PermissionDenied,
        await AskRingAsync(ClusterTls.CreateHandler(_cluster.Identity("n2").Trust, null)));

    [Fact]
    public async Task The_operator_is_not_a_member()
    {
        using var authority = _cluster.Cluster.OpenAuthority();
        using var certificate = authority.IssueOperator(DateTimeOffset.UtcNow);
        var handler = ClusterTls.CreateHandler(_cluster.Identity("n2").Trust, certificate);
        Assert.Equal(StatusCode.PermissionDenied, await AskRingAsync(handler));
    }

    [Fact]
    public async Task A_node_of_another_cluster_is_not_a_member_even_if_it_trusts_us()
    {
        await using var other = Founded.Of(1);
        var handler = ClusterTls.CreateHandler(_cluster.Identity("n2").Trust, other.Identity("n1").Certificate);
        Assert.Equal(StatusCode.PermissionDenied, await AskRingAsync(handler));
    }

    [Fact]
    public async Task A_node_of_another_cluster_does_not_trust_us()
    {
        await using var other = Founded.Of(1);
        await Assert.ThrowsAsync<HttpRequestException>(
            () => GetAsync(new ClusterTls(other.Identity("n1")).CreateHandler(null), "/healthz"));
    }

    [Fact]
    public async Task Who_expects_another_node_hangs_up()
    {
        Assert.Equal("alive\n", await GetAsync(Tls("n2").CreateHandler(_cluster.Identity("n1").Self.Node), "/healthz"));
        await Assert.ThrowsAsync<HttpRequestException>(
            () => GetAsync(Tls("n2").CreateHandler(new NodeId(1, 1)), "/healthz"));
    }

    [Fact]
    public async Task Nobody_but_the_operator_can_leave_an_invite()
    {
        foreach (var handler in new[]
        {
            Tls("n2").CreateHandler(null), ClusterTls.CreateHandler(_cluster.Identity("n2").Trust, null),
        })
        {
            using var http = new HttpClient(handler);
            using var content = new ByteArrayContent([1]);
            using var reply = await http.PutAsync($"https://{_address}/invites/0123456789abcdef?expires=0", content);
            Assert.Equal(System.Net.HttpStatusCode.Forbidden, reply.StatusCode);
        }
    }

    private ClusterTls Tls(string node) => new(_cluster.Identity(node));

    private async Task<StatusCode> AskRingAsync(HttpMessageHandler handler)
    {
        using var channel = GrpcChannel.ForAddress(
            $"https://{_address}", new GrpcChannelOptions { HttpHandler = handler, DisposeHttpClient = true });
        try
        {
            await new Ring.RingClient(channel).PingAsync(new PingRequest(), deadline: DateTime.UtcNow.AddSeconds(10));
            return StatusCode.OK;
        }
        catch (RpcException e)
        {
            return e.StatusCode;
        }
    }

    private async Task<string> GetAsync(HttpMessageHandler handler, string path)
    {
        using var http = new HttpClient(handler) { Timeout = TimeSpan.FromSeconds(10) };
        return await http.GetStringAsync($"https://{_address}{path}");
    }
}
