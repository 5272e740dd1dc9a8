using System.Net;
using ChordChat.Node.Base;
using ChordChat.Node.Identity;
using ChordChat.Node.Operations;
using ChordChat.Node.Tiles;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace ChordChat.Tests.Cluster.Nodes;

/// <summary>docs/operations.md, "Stopping a node": drain and safe-to-stop judge alike.</summary>
public sealed class DrainTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task A_drain_that_is_refused_advises_to_stop_only_what_is_safe_to_stop()
    {
        await using var cluster = await NodeCluster.StartAsync(3);
        await Condition.UntilAsync("n1 may stop", Patience, async () => (await ObstaclesAsync(cluster)).Count == 0);
        using var own = new HttpClient(new ClusterTls(cluster.IdentityOf("n1")).CreateHandler(null));
        var (code, said) = await DrainAsync(own, cluster);
        Assert.Equal(HttpStatusCode.Conflict, code);
        Assert.Contains("too few", said, StringComparison.Ordinal);
        Assert.Contains("safe to stop it for a while: send it SIGTERM", said, StringComparison.Ordinal);

        await cluster.StopAsync("n3");

        (code, said) = await DrainAsync(own, cluster);
        Assert.Equal(HttpStatusCode.Conflict, code);
        Assert.DoesNotContain("SIGTERM", said, StringComparison.Ordinal);
        Assert.Contains("It is not safe to stop it for a while either", said, StringComparison.Ordinal);
        Assert.Contains((await ObstaclesAsync(cluster))[0].Split(':')[0], said, StringComparison.Ordinal);
    }

    /// <summary>Whoever reads "drained" may delete the folder.</summary>
    [Fact]
    public async Task A_drain_that_a_signal_cuts_short_does_not_say_that_all_is_with_others()
    {
        await using var cluster = await NodeCluster.StartAsync(4);
        await Condition.UntilAsync(
            "n1 may go", Patience, () => Task.FromResult(cluster["n1"].Departure.CanBeTakenOver));
        using var own = new HttpClient(new ClusterTls(cluster.IdentityOf("n1")).CreateHandler(null));
        using var asked = new HttpRequestMessage(
            HttpMethod.Post, $"https://{cluster.AddressOf("n1")}{OperatorEndpoints.DrainPath}");
        using var answer = await own.SendAsync(asked, HttpCompletionOption.ResponseHeadersRead);
        using var lines = new StreamReader(await answer.Content.ReadAsStreamAsync());
        var said = new List<string?> { await lines.ReadLineAsync() };
        await cluster.StopAsync("n4"); // Two are too few to take over what is kept by three.
        await cluster["n1"].Departure.Stop().WaitAsync(Patience);
        while (await lines.ReadLineAsync() is { } line)
            said.Add(line);
        Assert.True(cluster["n1"].Departure.TilesLeft > 0);
        Assert.DoesNotContain(OperatorEndpoints.Drained, said);
        Assert.StartsWith("not drained", said[^1], StringComparison.Ordinal);
    }

    /// <summary>Or whoever starts it again (an engine, a service manager) makes it a member that takes tiles, while
    /// its operator deletes the folder.</summary>
    [Fact]
    public async Task A_node_that_was_drained_does_not_come_back_until_its_mark_is_deleted()
    {
        await using var cluster = await NodeCluster.StartAsync(4);
        await Condition.UntilAsync(
            "n1 may go", Patience, () => Task.FromResult(cluster["n1"].Departure.CanBeTakenOver));
        using var own = new HttpClient(new ClusterTls(cluster.IdentityOf("n1")).CreateHandler(null));
        var (code, said) = await DrainAsync(own, cluster);
        Assert.Equal(HttpStatusCode.OK, code);
        Assert.EndsWith(OperatorEndpoints.Drained + "\n", said, StringComparison.Ordinal);
        await cluster.StopAsync("n1");

        var refused = await Assert.ThrowsAsync<StartRefusedException>(() => cluster.StartAsync("n1"));
        Assert.Equal(15, (int)refused.Code);
        Assert.Contains("Delete the folder", refused.Message, StringComparison.Ordinal);

        File.Delete(Path.Combine(cluster.DataOf("n1"), "drained"));
        await cluster.StartAsync("n1");
    }

    /// <summary>docs/operations.md, "A drain that does not end": a signal cancels it, although all is handed over in
    /// time.</summary>
    [Fact]
    public async Task A_drain_that_is_cancelled_lets_the_node_come_back()
    {
        await using var cluster = await NodeCluster.StartAsync(4);
        await Condition.UntilAsync(
            "n1 may go", Patience, () => Task.FromResult(cluster["n1"].Departure.CanBeTakenOver));
        var departure = cluster["n1"].Departure;
        _ = departure.Drain();
        Assert.NotEqual(0, departure.TilesLeft);
        await departure.Stop().WaitAsync(Patience);
        Assert.False(departure.IsDrained);
        await cluster.StopAsync("n1");
        await cluster.StartAsync("n1");
    }

    private static async Task<(HttpStatusCode Code, string Said)> DrainAsync(HttpClient own, NodeCluster cluster)
    {
        using var answer = await own.PostAsync(
            $"https://{cluster.AddressOf("n1")}{OperatorEndpoints.DrainPath}", content: null);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }

    private static Task<IReadOnlyList<string>> ObstaclesAsync(NodeCluster cluster) =>
        cluster["n1"].Services.GetRequiredService<SafetyOfStopping>().ObstaclesAsync(CancellationToken.None);
}
