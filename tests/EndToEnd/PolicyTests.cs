using Xunit;

namespace ChordChat.Tests.EndToEnd;

/// <summary>One user on two machines: who stays is the cluster's policy.</summary>
public sealed class PolicyTests(TwoFriends friends) : IClassFixture<TwoFriends>
{
    [Fact]
    public async Task Takeover_ends_the_first_session_with_a_reason_and_the_second_one_chats()
    {
        var laptop = new Person(friends.Cluster, "laptop");
        await using var first = await OnlineAsync(friends.Alice, friends.Bob);

        await laptop.DoAsync(["login", "alice"], "n3");

        Assert.Equal(1, await first.EndAsync());
        Refusals.ErrorShouldBe(await first.Error, "taken_over");
        (await friends.Alice.RunAsync(["send", "bob", "from the old one"])).ShouldRefuse("not_logged_in");
        await TalksAsync(laptop, friends.Bob);
    }

    [Fact]
    public async Task Reject_refuses_the_second_login_while_the_first_session_lives()
    {
        await using var cluster = await RejectingAsync();
        var (alice, bob) = (new Person(cluster, "alice"), new Person(cluster, "bob"));
        await Task.WhenAll(alice.RegisterAsync("n1"), bob.RegisterAsync("n2"));
        var laptop = new Person(cluster, "laptop");
        await using var first = await OnlineAsync(alice, bob);

        var text = (await laptop.RunAsync(["login", "alice"], "n3")).ShouldRefuse("session_live");

        Assert.Contains("log out", text, StringComparison.Ordinal);
        (await laptop.RunAsync(["send", "bob", "from the new one"])).ShouldRefuse("not_logged_in");
        await bob.DoAsync(["send", "alice", "still there?"]);
        Assert.Equal("still there?", (await first.ReadAsync()).GetProperty("text").GetString());

        await first.KillAsync();
        await LoginInTheEndAsync(laptop);
        await TalksAsync(laptop, bob);
    }

    /// <summary>A tail that has printed what a friend sent just now: its session lives.</summary>
    private static async Task<Running> OnlineAsync(Person who, Person friend)
    {
        var tail = who.Start(["tail", "--timeout", "120"]);
        await friend.DoAsync(["send", who.Name, "are you there?"]);
        Assert.Equal("are you there?", (await tail.ReadAsync()).GetProperty("text").GetString());
        return tail;
    }

    private static async Task TalksAsync(Person laptop, Person bob)
    {
        await laptop.DoAsync(["send", "bob", "from the new one"]);
        var read = await bob.DoAsync(["tail", "--count", "1", "--timeout", "60"]);
        Assert.Equal("from the new one", Assert.Single(read).GetProperty("text").GetString());
        Assert.Equal("alice", read[0].GetProperty("from").GetString());
    }

    /// <summary>A session that was cut off keeps its place for 15 s, and no longer.</summary>
    private static async Task LoginInTheEndAsync(Person laptop)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        Ended ended;
        do
        {
            limit.Token.ThrowIfCancellationRequested();
            ended = await laptop.RunAsync(["login", "alice"], "n3");
        }
        while (ended.ExitCode != 0 && ended.ShouldRefuse("session_live").Length > 0);
    }

    private static async Task<LocalCluster> RejectingAsync()
    {
        var cluster = LocalCluster.Prepare();
        var made = await LocalCluster.RunAsync(
            LocalCluster.NodeProgram,
            ["cluster", "init", "--data", cluster.Home, "--nodes", "3", "--policy", "reject"], cluster.Environment());
        Assert.True(made.ExitCode == 0, made.Error);
        await cluster.StartupAsync();
        return cluster;
    }
}
