using System.Net;
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
        await DoAsync("alice", nodes[0], ["requests", "off"]);
        await DoAsync("bob", nodes[1], ["requests", "off"]);

        await SendAndSeeAsync("alice", nodes[0], "bob", nodes[1]);
        await SendAndSeeAsync("bob", nodes[1], "alice", nodes[0]);

        await KeysAreApartAsync(nodes);
        await ThePageAnswersToItsNameOnlyAsync();
        await SendWhileANodeDiesAsync(nodes);
        var down = await cluster.TryStartupAsync("status");
        Assert.Equal(1, down.ExitCode);
        Assert.Contains($"{nodes[0]}", down.Output, StringComparison.Ordinal);
        Assert.Contains("stopped: it was killed", down.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("daemon", down.Output, StringComparison.Ordinal);

        await cluster.StartupAsync("--nodes", "4");
        var status = await cluster.StartupAsync("status");
        Assert.Equal(4, status.Split('\n').Count(line => line.EndsWith(" ready", StringComparison.Ordinal)));
    }

    /// <summary>Whoever takes over one container has neither the authority's key nor any right of the
    /// machine.</summary>
    private static async Task KeysAreApartAsync(string[] nodes)
    {
        const string Keys = "find / -name 'authority.key' -o -name 'viewer.key' 2>/dev/null | grep -v ^/proc || true";
        const string Rights = "sed -n 's/^\\(CapEff\\|CapBnd\\|NoNewPrivs\\|Uid\\):[[:space:]]*//p' /proc/self/status";
        var admission = await ContainerCluster.ContainerOfAsync("admission");
        var page = await ContainerCluster.ContainerOfAsync("visualizer");
        var held = await ContainerCluster.ShellAsync(admission, Keys);
        Assert.Contains("/authority/cluster/authority.key", held, StringComparison.Ordinal);
        Assert.Equal("/page/viewer.key", await ContainerCluster.ShellAsync(page, Keys));
        foreach (var container in (string[])[nodes[0], ContainerCluster.Client])
            Assert.Equal("", await ContainerCluster.ShellAsync(container, Keys));
        foreach (var container in (string[])[nodes[0], admission, page, ContainerCluster.Client])
        {
            var rights = (await ContainerCluster.ShellAsync(container, Rights)).Split('\n');
            Assert.Equal(["7401\t7401\t7401\t7401", "0000000000000000", "0000000000000000", "1"], rights);
            var written = await ContainerCluster.ShellAsync(
                container, "touch /chordchat/x 2>&1 || true; touch /usr/x 2>&1 || true");
            Assert.Equal(2, written.Split("Read-only file system").Length - 1);
        }
    }

    private static async Task ThePageAnswersToItsNameOnlyAsync()
    {
        using var http = new HttpClient();
        foreach (var (host, expected) in new[]
        {
            ("localhost", HttpStatusCode.OK), ("evil.example", HttpStatusCode.MisdirectedRequest),
        })
        {
            using var question = new HttpRequestMessage(
                HttpMethod.Get, $"http://127.0.0.1:{ContainerCluster.PagePort}/");
            question.Headers.Host = host;
            using var answer = await http.SendAsync(question);
            Assert.Equal(expected, answer.StatusCode);
        }
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
        "exec", "-i", "-e", "CHORDCHAT_PASSWORD", "-e", "CHORDCHAT_TRUST", ContainerCluster.Client,
        "chordchat", .. arguments,
        "--json", "--profile", $"/home/chordchat/{who}", "--node", $"{node}:7401",
    ];

    private static Dictionary<string, string> Secret => new()
    {
        ["CHORDCHAT_PASSWORD"] = Person.Password,
        ["CHORDCHAT_TRUST"] = ContainerCluster.Trust,
    };

    private static IEnumerable<string> Texts(string who, int count) =>
        Enumerable.Range(0, count).Select(i => $"{who} {i}");

    private static string TextOf(JsonElement message) => message.GetProperty("text").GetString()!;
}
