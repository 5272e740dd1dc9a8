using System.Text.Json;
using Xunit;

namespace ChordChat.Tests.EndToEnd;

/// <summary>What a person types or points at by mistake: a clear text, and nothing lost or half done.</summary>
public sealed class MistakeTests(TwoFriends friends) : IClassFixture<TwoFriends>
{
    private const string OtherPassword = "seven green boats at moon";

    private readonly LocalCluster _cluster = friends.Cluster;
    private readonly Person _alice = friends.Alice;
    private readonly Person _bob = friends.Bob;

    [Fact]
    public async Task A_wrong_password_opens_neither_this_machine_nor_another()
    {
        (await _alice.RunAsync(["send", "bob", "not by me"], password: OtherPassword)).ShouldRefuse("wrong_password");
        (await _alice.RunAsync(["history", "bob"], password: OtherPassword)).ShouldRefuse("wrong_password");
        var thief = new Person(_cluster, "thief");
        (await thief.RunAsync(["login", "alice"], password: OtherPassword)).ShouldRefuse("wrong_password");
        (await thief.RunAsync(["send", "bob", "not by me"])).ShouldRefuse("not_logged_in");

        await friends.StillTalkAsync();
    }

    [Fact]
    public async Task Nobody_of_this_name_is_said_at_once_and_nothing_waits_for_him()
    {
        var text = (await _alice.RunAsync(["send", "nobody", "hello?"])).ShouldRefuse("unknown_user");
        Assert.Contains("nobody", text, StringComparison.Ordinal);
        (await _alice.RunAsync(["status", "nobody"])).ShouldRefuse("unknown_user");
        (await _alice.RunAsync(["where", "nobody"])).ShouldRefuse("unknown_user");
        (await new Person(_cluster, "visitor").RunAsync(["login", "nobody"])).ShouldRefuse("wrong_password");

        Assert.Empty(await _alice.DoAsync(["history", "nobody"]));
        await friends.StillTalkAsync();
    }

    [Fact]
    public async Task A_taken_name_stays_with_its_owner()
    {
        var second = new Person(_cluster, "second-alice");
        (await second.RunAsync(["register", "alice"], "n3", password: OtherPassword)).ShouldRefuse("taken_name");
        (await second.RunAsync(["send", "bob", "hi"], password: OtherPassword)).ShouldRefuse("not_logged_in");

        await friends.StillTalkAsync();
        (await second.RunAsync(["login", "alice"], password: OtherPassword)).ShouldRefuse("wrong_password");
    }

    [TerminalFact]
    public async Task A_newcomer_at_the_console_is_asked_again_after_each_mistake()
    {
        var profile = _cluster.Profile("dora");
        await using (var first = Terminal.Open(_cluster, profile, "n2"))
        {
            await first.AnswerAsync("[r]egister or [l]og in?", "dora");
            await first.SeesAsync("answer r to make a new account");
            await first.AnswerAsync("[r]egister or [l]og in?", "l");
            await first.AnswerAsync("name:", "");
            await first.SeesAsync("type a user name");
            await first.AnswerAsync("name:", "dorra");
            await first.AnswerAsync("password for dorra (empty: another name):", Person.Password);
            await first.SeesAsync("wrong user name or password for dorra");
            await first.AnswerAsync("password for dorra (empty: another name):", "");
            await first.SeesAsync("begin again");
            await first.AnswerAsync("[r]egister or [l]og in?", "r");
            await first.AnswerAsync("name:", "Dora D");
            await first.SeesAsync("'Dora D' cannot be a user name");
            await first.AnswerAsync("name:", "alice");
            await first.SeesAsync("this name is taken");
            await first.AnswerAsync("[r]egister or [l]og in?", "r");
            await first.AnswerAsync("name:", "dora");
            await first.AnswerAsync("new password for dora", "short");
            await first.SeesAsync("at least");
            await first.AnswerAsync("new password for dora", Person.Password);
            await first.AnswerAsync("the same password again:", OtherPassword);
            await first.SeesAsync("the two passwords differ");
            await first.AnswerAsync("new password for dora", Person.Password);
            await first.AnswerAsync("the same password again:", Person.Password);
            await first.SeesAsync("/help lists the commands");
            await first.AnswerAsync("dora>", "/quit");
            Assert.Equal(0, await first.EndAsync());
        }

        await using var second = Terminal.Open(_cluster, profile, "n1");
        await second.AnswerAsync("password for dora:", OtherPassword);
        await second.SeesAsync("this is not the password of dora");
        await second.AnswerAsync("password for dora:", Person.Password);
        await second.SeesAsync("dora>");
        await new Person(_cluster, "dora-laptop").DoAsync(["login", "dora"], "n3");
        await second.AnswerAsync("press Enter to leave", "a text that is no command of the shell's");
        Assert.Equal(1, await second.EndAsync());
        await friends.StillTalkAsync();
    }

    [Theory]
    [InlineData("Carol")]
    [InlineData("ca rol")]
    [InlineData(" carol")]
    [InlineData("")]
    public async Task A_name_with_a_capital_or_a_space_is_refused_before_a_key_is_made(string name)
    {
        var carol = new Person(_cluster, "carol");
        var text = (await carol.RunAsync(["register", name])).ShouldRefuse("bad_name");
        Assert.Contains("a-z", text, StringComparison.Ordinal);
        (await _alice.RunAsync(["send", name, "hi"])).ShouldRefuse("bad_name");

        Assert.False(Directory.Exists(_cluster.Profile("carol")), "a profile was made for a name that cannot be");
    }

    [Fact]
    public async Task A_message_of_a_megabyte_is_refused_and_those_around_it_arrive()
    {
        var lines = string.Join('\n', "before", new string('x', 1_000_000), "after");
        var ended = await _alice.RunAsync(["send", "bob", "-"], input: lines);

        var text = ended.ShouldRefuse("too_large");
        Assert.Contains("1,000,000", text, StringComparison.Ordinal);
        Assert.Equal(["kept", "kept"], ended.Objects.Select(sent => sent.GetProperty("state").GetString()));
        var read = await _bob.DoAsync(["tail", "--count", "2", "--timeout", "60"]);
        Assert.Equal(["before", "after"], TextsOf(read));
        await friends.StillTalkAsync();
    }

    [Fact]
    public async Task The_largest_message_that_is_promised_arrives_whole()
    {
        var text = string.Concat(Enumerable.Range(0, 16_000).Select(i => $"{i % 10_000:d4}"));
        await _alice.DoAsync(["send", "bob", "-"], input: text);

        var read = await _bob.DoAsync(["tail", "--count", "1", "--timeout", "60"]);
        Assert.Equal(text, Assert.Single(read).GetProperty("text").GetString());
    }

    [Fact]
    public async Task A_message_to_oneself_is_refused()
    {
        (await _alice.RunAsync(["send", "alice", "dear diary"])).ShouldRefuse("to_yourself");

        Assert.Empty(await _alice.DoAsync(["history", "alice"]));
        await friends.StillTalkAsync();
    }

    [Fact]
    public async Task An_address_that_is_no_node_is_named_and_nothing_is_sent_later()
    {
        var page = new Uri(_cluster.Page).Authority;
        await NotSentAsync("127.0.0.1:1", "unreachable", "127.0.0.1:1");
        await NotSentAsync(page, "not_a_node", page);
        await NotSentAsync("nonsense", "bad_address", "nonsense");

        await friends.StillTalkAsync();
    }

    [Fact]
    public async Task A_node_of_another_cluster_is_refused_by_its_certificate()
    {
        await using var other = await LocalCluster.StartAsync(1);
        var address = other.Address("n1");
        await NotSentAsync(address, "foreign_cluster", address);
        (await _alice.RunAsync(["status", "bob", "--node", address])).ShouldRefuse("foreign_cluster");
        (await _alice.RunAsync(["login", "alice", "--node", address])).ShouldRefuse("foreign_cluster");

        await friends.StillTalkAsync();
    }

    private async Task NotSentAsync(string address, string code, string named)
    {
        var ended = await _alice.RunAsync(["send", "bob", "into the void", "--node", address]);
        Assert.Contains(named, ended.ShouldRefuse(code), StringComparison.Ordinal);
        Assert.DoesNotContain("into the void", TextsOf(await _alice.DoAsync(["history", "bob"])));
    }

    private static IEnumerable<string> TextsOf(IEnumerable<JsonElement> messages) =>
        messages.Select(message => message.GetProperty("text").GetString()!);
}
