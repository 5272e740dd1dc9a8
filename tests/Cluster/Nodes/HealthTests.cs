using ChordChat.Node;
using ChordChat.Node.Base;
using ChordChat.Node.Commands;
using ChordChat.Node.Identity;
using ChordChat.Node.Operations;
using ChordChat.Tests.Cluster.Admission;
using Grpc.Core;
using Grpc.Health.V1;
using Grpc.Net.Client;
using Grpc.Reflection.V1Alpha;
using Xunit;

namespace ChordChat.Tests.Cluster.Nodes;

/// <summary>docs/operations.md, "Looking at it": what standard tools ask a node by gRPC.</summary>
public sealed class HealthTests : IAsyncLifetime
{
    private readonly Founded _cluster = Founded.Of(2);
    private RunningNode _node = null!;

    public async Task InitializeAsync() => _node = await _cluster.StartAsync("n1");

    public async Task DisposeAsync() => await _cluster.DisposeAsync();

    [Fact]
    public async Task A_node_without_a_majority_is_alive_and_not_ready()
    {
        using var channel = Channel(operatorIs: false);
        var health = new Health.HealthClient(channel);
        Assert.Equal(HealthCheckResponse.Types.ServingStatus.Serving, (await health.CheckAsync(new())).Status);
        var ready = await health.CheckAsync(new() { Service = HealthEndpoints.ReadyService });
        Assert.Equal(HealthCheckResponse.Types.ServingStatus.NotServing, ready.Status);

        await _cluster.StartAsync("n2", options => options with { Seeds = [At(_node)] });
        await Condition.UntilAsync("n1 is ready", TimeSpan.FromMinutes(1), async () =>
            (await health.CheckAsync(new() { Service = HealthEndpoints.ReadyService })).Status
            == HealthCheckResponse.Types.ServingStatus.Serving);
    }

    /// <summary>n2 does not run, and n1 has the port that n2 had.</summary>
    [Fact]
    public async Task Another_node_at_the_address_of_a_folder_does_not_make_that_one_ready()
    {
        foreach (var name in (string[])["n1", "n2"])
            AddressFile.Write(_cluster.Cluster.NodeFolder(name), _node.Node.Self.Address);

        Assert.True((await ReadyCommand.AskAsync(
            _cluster.Cluster.NodeFolder("n1"), "/healthz", CancellationToken.None)).IsReady);
        var (isReady, text) = await ReadyCommand.AskAsync(
            _cluster.Cluster.NodeFolder("n2"), "/healthz", CancellationToken.None);

        Assert.False(isReady);
        Assert.Equal($"another node (n1) answers at {_node.Node.Self.Address}", text);
    }

    [Fact]
    public async Task A_service_that_nobody_knows_is_not_found()
    {
        using var channel = Channel(operatorIs: false);
        var error = await Assert.ThrowsAsync<RpcException>(async () =>
            await new Health.HealthClient(channel).CheckAsync(new() { Service = "chordchat.v1.Nothing" }));
        Assert.Equal(StatusCode.NotFound, error.StatusCode);
    }

    [Fact]
    public async Task Only_an_operator_is_told_what_services_there_are()
    {
        using var stranger = Channel(operatorIs: false);
        var error = await Assert.ThrowsAsync<RpcException>(() => ServicesAsync(stranger));
        Assert.Equal(StatusCode.PermissionDenied, error.StatusCode);

        using var channel = Channel(operatorIs: true);
        Assert.Contains("chordchat.v1.Chat", await ServicesAsync(channel));
    }

    /// <summary>docs/security.md, "Places of strangers".</summary>
    [Fact]
    public async Task A_network_watches_so_often_and_members_all_the_same()
    {
        using var channel = Channel(operatorIs: false);
        var health = new Health.HealthClient(channel);
        var watching = new List<AsyncServerStreamingCall<HealthCheckResponse>>();
        for (var i = 0; i < HealthWatchers.PerBlockMax; i++)
        {
            watching.Add(health.Watch(new()));
            Assert.True(await watching[^1].ResponseStream.MoveNext(CancellationToken.None));
        }

        using var tooMany = health.Watch(new());
        var refused = await Assert.ThrowsAsync<RpcException>(
            () => tooMany.ResponseStream.MoveNext(CancellationToken.None));
        Assert.Equal(StatusCode.ResourceExhausted, refused.StatusCode);
        using var known = Channel(operatorIs: true);
        using var watch = new Health.HealthClient(known).Watch(new());
        Assert.True(await watch.ResponseStream.MoveNext(CancellationToken.None));

        watching.ForEach(call => call.Dispose());
        await Condition.UntilAsync("there is room again", TimeSpan.FromMinutes(1), async () =>
        {
            using var again = health.Watch(new());
            try
            {
                return await again.ResponseStream.MoveNext(CancellationToken.None);
            }
            catch (RpcException e) when (e.StatusCode == StatusCode.ResourceExhausted)
            {
                return false;
            }
        });
    }

    private static HostPort At(RunningNode node) =>
        HostPort.TryParse(node.Node.Self.Address, out var at) ? at : throw new InvalidOperationException();

    private static async Task<string[]> ServicesAsync(GrpcChannel channel)
    {
        using var call = new ServerReflection.ServerReflectionClient(channel).ServerReflectionInfo();
        await call.RequestStream.WriteAsync(new() { ListServices = "*" });
        await call.RequestStream.CompleteAsync();
        Assert.True(await call.ResponseStream.MoveNext(default));
        return [.. call.ResponseStream.Current.ListServicesResponse.Service.Select(service => service.Name)];
    }

    private GrpcChannel Channel(bool operatorIs)
    {
        using var authority = _cluster.Cluster.OpenAuthority();
        return GrpcChannel.ForAddress($"https://{_node.Node.Self.Address}", new()
        {
            HttpHandler = ClusterTls.CreateHandler(
                _cluster.Identity("n1").Trust, operatorIs ? authority.IssueOperator(DateTimeOffset.UtcNow) : null),
            DisposeHttpClient = true,
        });
    }
}
