using ChordChat.Node.Chat;
using ChordChat.Wire;
using Grpc.Core;
using Xunit;

namespace ChordChat.Tests.Cluster.Chat;

/// <summary>docs/protocol.md, Presence.</summary>
public sealed class PresenceTests : IAsyncLifetime
{
    private readonly ChatCluster _cluster =
        new(2, options: ChatCluster.Quick with { Presence = PresenceRule.Contacts });

    private ChatUser _anna = null!;
    private ChatUser _bert = null!;

    public async Task InitializeAsync()
    {
        await _cluster.InitializeAsync();
        _anna = await SessionTests.RegisterAsync(_cluster, "anna");
        _bert = await SessionTests.RegisterAsync(_cluster, "bert");
    }

    public Task DisposeAsync() => _cluster.DisposeAsync();

    [Fact]
    public async Task Somebody_is_seen_by_those_to_whom_they_wrote_and_by_nobody_else()
    {
        await using var anna = await ChatConnection.OpenAsync(_cluster.Client(0), _anna);
        await using var bert = await ChatConnection.OpenAsync(_cluster.Client(1), _bert);
        await HiddenAsync("anna", "bert");
        await HiddenAsync("bert", "anna");

        await WriteToAsync(bert, "anna");
        await SeenAsync("anna", "bert");
        await HiddenAsync("bert", "anna");
        Assert.Equal(["anna"], await OnlineAsync("anna")); // She has not written to him.

        await WriteToAsync(anna, "bert");
        await SeenAsync("bert", "anna");
        Assert.Equal(["anna", "bert"], await OnlineAsync("anna"));
        Assert.Equal(["anna", "bert"], await OnlineAsync("bert"));
        Assert.Empty(await OnlineAsync("visitor"));

        await bert.WriteAsync(new() { Circle = new() { Block = { "anna" } } });
        await bert.NextAsync<Circle>();
        await Nodes.Condition.UntilAsync(
            "anna, whom he blocked, sees bert no more", TimeSpan.FromSeconds(30),
            async () => !(await OnlineAsync("anna")).Contains("bert"));
        await HiddenAsync("anna", "bert");
    }

    [Fact]
    public async Task A_list_that_too_few_copies_answer_for_names_no_number_of_them()
    {
        _cluster.Replication.IsCut = true;

        var fault = await Assert.ThrowsAsync<RpcException>(() => OnlineAsync("anna"));

        Assert.Equal((StatusCode.Unavailable, "too few copies answered"), (fault.StatusCode, fault.Status.Detail));
        Assert.Equal("no", fault.Trailers.GetValue("changed"));
    }

    [Fact]
    public async Task A_name_that_nobody_has_and_a_strangers_get_one_answer_and_ones_own_is_open()
    {
        var (known, unknown) = (await HiddenAsync("anna", "bert"), await HiddenAsync("anna", "nobody"));
        Assert.Equal(
            known.Status.Detail.Replace("bert", "nobody", StringComparison.Ordinal), unknown.Status.Detail);
        Assert.Equal("not_a_contact", known.Trailers.GetValue("reason"));
        await SeenAsync("anna", "anna", isOnline: false);
    }

    /// <summary>Everybody is the default.</summary>
    [Fact]
    public async Task Without_the_setting_everybody_sees_everybody()
    {
        var cluster = new ChatCluster(1);
        await cluster.InitializeAsync();
        var anna = await SessionTests.RegisterAsync(cluster, "anna");
        await using (await ChatConnection.OpenAsync(cluster.Client(0), anna))
        {
            var online = await cluster.Client(0).ListOnlineAsync(new(), cluster.Pass);
            Assert.False(online.ContactsOnly);
            Assert.Equal("anna", Assert.Single(online.Users).User);
            Assert.True((await cluster.Client(0).GetStatusAsync(new() { User = "anna" }, cluster.Pass)).Online);
        }

        await cluster.DisposeAsync();
    }

    private async Task<RpcException> HiddenAsync(string asker, string user)
    {
        var status = await Assert.ThrowsAsync<RpcException>(
            async () => await _cluster.Client(0).GetStatusAsync(new() { User = user }, PassOf(asker)));
        var where = await Assert.ThrowsAsync<RpcException>(
            async () => await _cluster.Client(0).WhereAsync(new() { User = user }, PassOf(asker)));
        Assert.Equal(StatusCode.PermissionDenied, status.StatusCode);
        Assert.Equal(status.Status, where.Status);
        return status;
    }

    /// <summary>The other node remembers for seconds what it was told before.</summary>
    private async Task SeenAsync(string asker, string user, bool isOnline = true) => await Nodes.Condition.UntilAsync(
        $"{asker} sees {user}", TimeSpan.FromSeconds(30), async () =>
        {
            try
            {
                var status = await _cluster.Client(0).GetStatusAsync(new() { User = user }, PassOf(asker));
                await _cluster.Client(0).WhereAsync(new() { User = user }, PassOf(asker));
                return status.Online == isOnline;
            }
            catch (RpcException cause) when (cause.StatusCode == StatusCode.PermissionDenied)
            {
                return false;
            }
        });

    private async Task<IEnumerable<string>> OnlineAsync(string asker)
    {
        var online = await _cluster.Client(0).ListOnlineAsync(new(), PassOf(asker));
        Assert.True(online.ContactsOnly);
        return online.Users.Select(user => user.User);
    }

    private Metadata PassOf(string user) => ChatCluster.PassOf(_cluster.Get<Passes>(0).Issue(user));

    private static async Task WriteToAsync(ChatConnection line, string user)
    {
        await line.WriteAsync(new ClientFrame { Circle = new CircleChange { WroteTo = { user } } });
        Assert.Contains(user, (await line.NextAsync<Wire.Circle>()).WrittenTo);
    }
}
