using System.Text.Json;
using Xunit;

namespace ChordChat.Tests.EndToEnd;

/// <summary>What README promises two people, with nodes and client in containers.</summary>
public sealed class ContainerTests
{
    [ContainerFact]
    public async Task Two_people_in_containers_chat_on_though_a_node_is_killed()
    {
        await using var cluster = await ContainerCluster.StartAsync(3);
        var nodes = await ContainerCluster.NodesAsync();
        Assert.Equal(3, nodes.Length);
        await DoAsync("alice", nodes[0], ["register", "alice"]);
        await DoAsync("bob", nodes[1], ["register", "bob"]);

        await SendAndSeeAsync("alice", nodes[0], "bob", nodes[1]);
        await SendAndSeeAsync("bob", nodes[1], "alice", nodes[0]);

        await SendWhileANodeDiesAsync(nodes);
        await cluster.StartupAsync();
        var status = await cluster.StartupAsync("status");
        Assert.Equal(3, status.Split('\n').Count(line => line.EndsWith(" ready", StringComparison.Ordinal)));
    }

    private static async Task SendAndSeeAsync(string from, string node, string to, string otherNode)
    {
        await using var tail = Start(to, otherNode, ["tail", "--count", "10", "--timeout", "60"]);
        await DoAsync(from, node, ["send", to, "-"], string.Join('\n', Texts(from, 10)));
        Assert.Equal(Texts(from, 10), (await tail.ReadAsync(10)).Select(TextOf));
        Assert.Equal(0, await tail.EndAsync());
    }

    private static async Task SendWhileANodeDiesAsync(string[] nodes)
    {
        await using var sending = Start("alice", nodes[0], ["send", "bob", "-"]);
        await using var tail = Start("bob", nodes[1], ["tail", "--count", "20", "--timeout", "120"]);
        for (var i = 0; i < 20; i++)
        {
            if (i == 10)
                await ContainerCluster.KillAsync(nodes[0]);
            await sending.WriteLineAsync($"alice {i}");
            Assert.Equal("kept", (await sending.ReadAsync()).GetProperty("state").GetString());
        }

        Assert.Equal(Texts("alice", 20), (await tail.ReadAsync(20)).Select(TextOf));
        Assert.Equal(0, await tail.EndAsync());
    }

    private static async Task DoAsync(string who, string node, string[] arguments, string? input = null)
    {
        var done = await LocalCluster.RunAsync("docker", Exec(who, node, arguments), Secret, input);
        Assert.True(done.ExitCode == 0, $"{who}: {string.Join(' ', arguments)}: {done.Output}\n{done.Error}");
    }

    private static Running Start(string who, string node, string[] arguments) =>
        new(LocalCluster.Begin("docker", Exec(who, node, arguments), Secret), who);

    private static string[] Exec(string who, string node, string[] arguments) =>
    [
        "exec", "-i", "-e", "CHORDCHAT_PASSWORD", ContainerCluster.Client, "chordchat", .. arguments,
        "--json", "--profile", $"/home/chordchat/{who}", "--node", $"{node}:7401",
    ];

    private static Dictionary<string, string> Secret => new() { ["CHORDCHAT_PASSWORD"] = Person.Password };

    private static IEnumerable<string> Texts(string who, int count) =>
        Enumerable.Range(0, count).Select(i => $"{who} {i}");

    private static string TextOf(JsonElement message) => message.GetProperty("text").GetString()!;
}
