using ChordChat.Node.Chat;
using ChordChat.Node.Tiles;
using ChordChat.Wire;
using Xunit;

namespace ChordChat.Tests.Cluster.Chat;

/// <summary>docs/protocol.md, Circle.</summary>
public sealed class BlockTests : IAsyncLifetime
{
    private const SendOutcome.Types.State Kept = SendOutcome.Types.State.Kept;
    private const SendOutcome.Types.State Refused = SendOutcome.Types.State.Refused;

    private readonly ChatCluster _cluster = new(2);
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
    public async Task Nodes_refuse_a_blocked_senders_mail_until_the_user_unblocks()
    {
        await using var anna = await ChatConnection.OpenAsync(_cluster.Client(0), _anna);
        await using var bert = await ChatConnection.OpenAsync(_cluster.Client(0), _bert);
        Assert.Equal(["anna"], (await ChangeAsync(bert, new CircleChange { Block = { "anna" } })).Blocked);
        await anna.SendAsync(_anna.Seal("bert", "one"));
        var refused = await anna.NextAsync<SendOutcome>();
        Assert.Equal((Refused, "blocked"), (refused.State, refused.Code));
        Assert.Equal("bert does not take messages from you", refused.Text);
        Assert.Empty(_cluster.Replication.Kept("bert"));
        Assert.Empty((await ChangeAsync(bert, new CircleChange { Unblock = { "anna" } })).Blocked);
        await anna.SendAsync(_anna.Seal("bert", "two"));
        await anna.NextAsync<SendOutcome>(outcome => outcome.State == Kept);
    }

    [Fact]
    public async Task Another_node_learns_of_it_too_and_the_next_device_is_told()
    {
        await using var anna = await ChatConnection.OpenAsync(_cluster.Client(1), _anna);
        await anna.SendAsync(_anna.Seal("bert", "before")); // Its node remembers from now on that anna is not blocked.
        await anna.NextAsync<SendOutcome>(outcome => outcome.State == Kept);
        await using (var bert = await ChatConnection.OpenAsync(_cluster.Client(0), _bert))
            await ChangeAsync(bert, new CircleChange { Block = { "anna" }, WroteTo = { "carl" } });
        while (true)
        {
            await anna.SendAsync(_anna.Seal("bert", "again"));
            if ((await anna.NextAsync<SendOutcome>(one => one.State is Kept or Refused)).State == Refused)
                break;
            await Task.Delay(50);
        }

        await using var next = await ChatConnection.OpenAsync(_cluster.Client(1), _bert);
        var circle = await ChangeAsync(next, new CircleChange());
        Assert.Equal(["anna"], circle.Blocked);
        Assert.Equal(["carl"], circle.WrittenTo);
        var circles = _cluster.Get<Circles>(1);
        Assert.True(await circles.IsContactAsync("bert", "carl", default));
        Assert.False(await circles.IsContactAsync("bert", "anna", default));
        Assert.False(await circles.IsContactAsync("anna", "bert", default));
    }

    [Fact]
    public async Task A_circle_that_nobody_can_read_holds_up_no_mail()
    {
        await using var anna = await ChatConnection.OpenAsync(_cluster.Client(0), _anna);
        _cluster.Replication.Silent = RegisterKey.Circle("bert");
        await anna.SendAsync(_anna.Seal("bert", "hello"));
        await anna.NextAsync<SendOutcome>(outcome => outcome.State == Kept);
    }

    [Fact]
    public async Task A_circle_whose_reading_fails_once_holds_up_no_mail_and_is_read_again()
    {
        await using var anna = await ChatConnection.OpenAsync(_cluster.Client(0), _anna);
        _cluster.Replication.Broken = RegisterKey.Circle("bert");
        for (var i = 0; i < 2; i++)
        {
            await anna.SendAsync(_anna.Seal("bert", "hello"));
            await anna.NextAsync<SendOutcome>(outcome => outcome.State == Kept);
        }

        var circles = _cluster.Get<Circles>(1);
        await Assert.ThrowsAsync<InvalidOperationException>(() => circles.IsContactAsync("bert", "carl", default));
        _cluster.Replication.Broken = null;
        Assert.False(await circles.IsContactAsync("bert", "carl", default));
    }

    [Fact]
    public async Task A_circle_that_is_none_blocks_nobody_and_its_user_can_replace_it()
    {
        await _cluster.Replication.ChangeAsync(
            RegisterKey.Circle("bert"), _ => new byte[] { 1, 2, 3 }, CancellationToken.None);
        await using var anna = await ChatConnection.OpenAsync(_cluster.Client(0), _anna);
        await using var bert = await ChatConnection.OpenAsync(_cluster.Client(0), _bert);
        await anna.SendAsync(_anna.Seal("bert", "hello"));
        await anna.NextAsync<SendOutcome>(outcome => outcome.State == Kept);

        await bert.WriteAsync(new ClientFrame { Circle = new CircleChange { Block = { "anna" } } });
        var replaced = await bert.NextAsync<Circle>();

        Assert.Equal("damaged", replaced.Code);
        Assert.Empty(replaced.Blocked); // Nothing that a client could take for the whole.
        Assert.Equal(["anna"], (await ChangeAsync(bert, new CircleChange())).Blocked);
    }

    /// <summary>It may be whole for a newer version of this program.</summary>
    [Fact]
    public async Task A_question_replaces_no_circle_that_cannot_be_read()
    {
        byte[] unreadable = [1, 2, 3];
        await _cluster.Replication.ChangeAsync(
            RegisterKey.Circle("bert"), _ => unreadable, CancellationToken.None);
        await using var bert = await ChatConnection.OpenAsync(_cluster.Client(0), _bert);
        for (var i = 0; i < 2; i++)
        {
            await bert.WriteAsync(new ClientFrame { Circle = new CircleChange() });
            Assert.Equal("damaged", (await bert.NextAsync<Circle>()).Code);
        }

        Assert.Equal(unreadable, await KeptAsync());
        // What a client does that has nothing to tell.
        await bert.WriteAsync(new ClientFrame { Circle = new CircleChange { Unblock = { "" } } });
        Assert.Equal("damaged", (await bert.NextAsync<Circle>()).Code);
        Assert.NotEqual(unreadable, await KeptAsync());
        Assert.Empty((await ChangeAsync(bert, new CircleChange())).Blocked);

        async Task<byte[]> KeptAsync() => Assert.IsType<ReadOutcome.Agreed>(
            await _cluster.Replication.ReadAsync(RegisterKey.Circle("bert"), default)).Value.ToArray();
    }

    [Fact]
    public async Task A_question_that_no_majority_answers_is_told_so()
    {
        await using var bert = await ChatConnection.OpenAsync(_cluster.Client(0), _bert);
        _cluster.Replication.IsCut = true;
        await bert.WriteAsync(new ClientFrame { Circle = new CircleChange() });
        Assert.Equal("unavailable", (await bert.NextAsync<Circle>()).Code);
    }

    [Fact]
    public async Task Of_one_user_so_many_changes_are_carried_out_in_a_minute()
    {
        await using var bert = await ChatConnection.OpenAsync(_cluster.Client(0), _bert);
        for (var i = 0; i < _cluster.Get<ChatOptions>(0).CircleChangesMax; i++)
            await ChangeAsync(bert, new CircleChange());

        await bert.WriteAsync(new ClientFrame { Circle = new CircleChange { Block = { "anna" } } });

        Assert.Equal("unavailable", (await bert.NextAsync<Circle>()).Code);
        await using var anna = await ChatConnection.OpenAsync(_cluster.Client(0), _anna);
        Assert.Empty((await ChangeAsync(anna, new CircleChange())).Blocked);
    }

    private static async Task<Circle> ChangeAsync(ChatConnection line, CircleChange change)
    {
        await line.WriteAsync(new ClientFrame { Circle = change });
        var circle = await line.NextAsync<Circle>();
        Assert.Equal("", circle.Code);
        return circle;
    }
}
