using ChordChat.Node.Chat;
using ChordChat.Node.Tiles;
using ChordChat.Tests.Cluster.Chat;
using ChordChat.Tests.Cluster.Nodes;
using ChordChat.Wire;
using Grpc.Core;
using Xunit;

namespace ChordChat.Tests.Cluster.BadInput;

/// <summary>docs/security.md, "What a call may cost": calls without a session that make a node read.</summary>
public sealed class QuestionLimitTests : IAsyncLifetime
{
    private const int QuestionsMax = 12;
    private const int OfOneBlock = AccountReads.OfStrangersMax / 2;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(40);

    private readonly ChatCluster _cluster = new(
        1, options: ChatCluster.Quick with { QuestionsPerUserMax = QuestionsMax });

    public Task InitializeAsync() => _cluster.InitializeAsync();

    public Task DisposeAsync() => _cluster.DisposeAsync();

    /// <summary>An account may have 1.3 MiB, and anybody may ask for how its password is derived.</summary>
    [Fact]
    public async Task Accounts_are_read_for_few_strangers_at_once_and_delay_neither_users_nor_mail()
    {
        var (anna, bert) = (await RegisterAsync("anna"), await RegisterAsync("bert"));
        await using var annas = await ChatConnection.OpenAsync(_cluster.Client(0), anna);
        await using var berts = await ChatConnection.OpenAsync(_cluster.Client(0), bert);
        _cluster.Replication.Silent = RegisterKey.Account("mallory");
        var asked = Enumerable.Range(0, 200)
            .Select(_ => _cluster.Client(0).GetKdfAsync(new() { User = "mallory" }).ResponseAsync).ToArray();
        await Condition.UntilAsync(
            "some are read", Patience, () => Task.FromResult(_cluster.Replication.SilentCount == OfOneBlock));

        Assert.Single((await _cluster.Client(0).GetKeyLogAsync(new() { User = "anna" }, _cluster.Pass)).Entries);
        await annas.SendAsync(anna.Seal("bert", "hello"));
        await berts.NextAsync<Push>();
        Assert.InRange(_cluster.Replication.SilentCount, OfOneBlock, OfOneBlock + AccountReads.SlowMax);

        _cluster.Replication.Silence.SetResult();
        var answers = await Task.WhenAll(asked).WaitAsync(Patience);
        Assert.All(answers, answer => Assert.Equal(answers[0], answer));
    }

    /// <summary>A tile without a majority answers after many seconds, and its people try again and again.</summary>
    [Fact]
    public async Task Accounts_that_cannot_be_read_now_hold_up_nobody_elses_login_and_question()
    {
        await RegisterAsync("anna");
        _cluster.Replication.Silent = RegisterKey.Account("mallory");
        var chat = _cluster.Client(0);
        var asked = Enumerable.Range(0, AccountReads.OfStrangersMax)
            .Select(_ => chat.GetKdfAsync(new() { User = "mallory" }).ResponseAsync)
            .ToList<Task>();
        asked.AddRange(Enumerable.Range(0, AccountReads.OfUsersMax)
            .Select(i => chat.GetKeyLogAsync(new() { User = "mallory" }, PassOf($"user{i}")).ResponseAsync));
        await Condition.UntilAsync(
            "turns are taken", Patience, () => Task.FromResult(_cluster.Replication.SilentCount > OfOneBlock));

        await chat.GetKdfAsync(new() { User = "anna" }).ResponseAsync.WaitAsync(Patience);
        await chat.GetKeyLogAsync(new() { User = "anna" }, PassOf("other")).ResponseAsync.WaitAsync(Patience);
        Assert.DoesNotContain(asked, question => question.IsCompleted);
        _cluster.Replication.Silence.SetResult();
        await Task.WhenAll(asked).ContinueWith(static _ => { }, TaskScheduler.Default).WaitAsync(Patience);
    }

    [Fact]
    public async Task Who_has_a_pass_asks_so_often_in_a_minute_and_keeps_nobody_else_from_asking()
    {
        await RegisterAsync("anna");
        var (often, other) = (PassOf("often"), PassOf("other"));
        Func<Metadata, Task>[] questions =
        [
            async pass => await _cluster.Client(0).GetKeyLogAsync(new() { User = "anna" }, pass),
            async pass => await _cluster.Client(0).GetStatusAsync(new() { User = "anna" }, pass),
            async pass => await _cluster.Client(0).WhereAsync(new() { User = "anna" }, pass),
        ];
        for (var i = 0; i < QuestionsMax; i++)
            await questions[i % questions.Length](often);
        foreach (var question in questions)
        {
            var refused = await Assert.ThrowsAsync<RpcException>(() => question(often));
            Assert.Equal(StatusCode.ResourceExhausted, refused.StatusCode);
            Assert.NotNull(refused.Trailers.GetValue("retry-after-ms"));
        }

        await questions[0](other);
    }

    /// <summary>It may have 10,000 people.</summary>
    [Fact]
    public async Task A_list_of_all_counts_as_several_questions()
    {
        var often = PassOf("often");
        await _cluster.Client(0).ListOnlineAsync(new(), often);
        await _cluster.Client(0).ListOnlineAsync(new(), often);
        var refused = await Assert.ThrowsAsync<RpcException>(
            async () => await _cluster.Client(0).ListOnlineAsync(new(), often));
        Assert.Equal(StatusCode.ResourceExhausted, refused.StatusCode);
    }

    private Metadata PassOf(string user) => ChatCluster.PassOf(_cluster.Get<Passes>(0).Issue(user));

    private Task<ChatUser> RegisterAsync(string name) => SessionTests.RegisterAsync(_cluster, name);
}
