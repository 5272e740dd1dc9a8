using ChordChat.Node.Tiles;
using ChordChat.Wire;
using Google.Protobuf;
using Grpc.Core;
using Xunit;

namespace ChordChat.Tests.Cluster.Chat;

/// <summary>Only one copy of an account answers, and it holds what was never agreed, or what is long over. It may show
/// that and let its user in for the time being; it decides nothing.</summary>
public sealed class OneCopyTests : IAsyncLifetime
{
    private static readonly RegisterKey Anna = RegisterKey.Account("anna");

    private readonly ChatCluster _cluster = new(2);

    public Task InitializeAsync() => _cluster.InitializeAsync();

    public Task DisposeAsync() => _cluster.DisposeAsync();

    [Fact]
    public async Task A_name_that_one_copy_accepted_before_the_others_died_belongs_to_one_person()
    {
        var first = new ChatUser("anna");
        await LoseAtAcceptAsync(first);

        Assert.Equal(StatusCode.Unavailable, (await RegisterFaultAsync(first)).StatusCode);
        Assert.Equal(StatusCode.Unavailable, (await FaultAsync(
            async () => await _cluster.Client(1).GetKeyLogAsync(new() { User = "anna" }, _cluster.Pass))).StatusCode);

        _cluster.Replication.IsCut = false; // The others are back.
        var second = new ChatUser("anna");
        await _cluster.Client(1).RegisterAsync(second.Registration());
        Assert.Equal(StatusCode.AlreadyExists, (await RegisterFaultAsync(first)).StatusCode);
        Assert.Equal(StatusCode.Unauthenticated, (await LoginFaultAsync(first)).StatusCode);
        await _cluster.Client(0).LogInAsync(new() { User = "anna", Secret = second.Secret });
    }

    [Fact]
    public async Task A_registration_that_may_have_taken_effect_is_never_said_to_have_changed_nothing()
    {
        var anna = new ChatUser("anna");

        var fault = await LoseAtAcceptAsync(anna);

        Assert.Equal("it is not known whether this took effect", fault.Status.Detail);
        Assert.DoesNotContain("nothing was changed", fault.Trailers.GetValue("hint"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Whose_registration_never_came_about_deletes_nobodys_mail_and_is_sent_away_by_a_majority()
    {
        var ghost = new ChatUser("anna");
        await LoseAtAcceptAsync(ghost);
        _cluster.Replication.IsCut = false;
        await _cluster.Client(1).RegisterAsync(new ChatUser("anna").Registration());
        var bob = await SessionTests.RegisterAsync(_cluster, "bob");
        await using var sender = await ChatConnection.OpenAsync(_cluster.Client(1), bob);
        await sender.SendAsync(bob.Seal("anna", "for the real one"));
        await sender.NextAsync<SendOutcome>(outcome => outcome.State == SendOutcome.Types.State.Kept);
        _cluster.Replication.IsCut = true;

        await using var line = await ChatConnection.OpenAsync(_cluster.Client(0), ghost);
        Assert.True(line.Welcome!.Degraded);
        await line.AcknowledgeAsync(_cluster.Replication.Kept("anna")
            .Select(message => ByteString.CopyFrom(message.Id.ToBytes())));
        await line.WriteAsync(new ClientFrame { Heartbeat = true });
        await line.NextAsync<string>(text => text == "heartbeat");
        _cluster.Replication.IsCut = false;

        Assert.Equal(SessionEnded.Types.Reason.Refused, (await line.NextAsync<SessionEnded>()).Reason);
        await line.ClosedAsync();
        Assert.Equal(1, _cluster.Replication.PendingCount("anna"));
    }

    [Fact]
    public async Task A_degraded_session_gets_its_mail_and_deletes_it_as_soon_as_a_majority_agrees()
    {
        var anna = await SessionTests.RegisterAsync(_cluster, "anna");
        var bob = await SessionTests.RegisterAsync(_cluster, "bob");
        await using var sender = await ChatConnection.OpenAsync(_cluster.Client(1), bob);
        await sender.SendAsync(bob.Seal("anna", "hello"));
        await sender.NextAsync<SendOutcome>(outcome => outcome.State == SendOutcome.Types.State.Kept);
        _cluster.Replication.IsCut = true;
        await using var line = await ChatConnection.OpenAsync(_cluster.Client(0), anna);
        Assert.True(line.Welcome!.Degraded);

        _cluster.Replication.IsCut = false;

        var push = await line.NextAsync<Push>();
        await line.AcknowledgeAsync([push.Id]);

        await Nodes.Condition.UntilAsync("anna's mailbox is empty", TimeSpan.FromSeconds(20),
            () => Task.FromResult(_cluster.Replication.PendingCount("anna") == 0));
    }

    [Fact]
    public async Task A_copy_that_lags_behind_refuses_nobody()
    {
        var anna = await SessionTests.RegisterAsync(_cluster, "anna");
        _cluster.Replication.LeaveBehind(Anna);
        await TakeOverAsync(anna);
        _cluster.Replication.IsCut = true;

        var fault = await FaultAsync(async () =>
        {
            await using var line = await ChatConnection.OpenAsync(_cluster.Client(0), anna);
        });

        Assert.Equal(StatusCode.Unavailable, fault.StatusCode);
        Assert.Equal(StatusCode.Unavailable, (await LoginFaultAsync(new ChatUser("anna"))).StatusCode);
        await using var old = await ChatConnection.OpenAsync(_cluster.Client(0), anna, epoch: 1);
        Assert.True(old.Welcome!.Degraded);
        _cluster.Replication.IsCut = false;
        Assert.Equal(anna.Log[1].Bytes.ToArray(), (await old.NextAsync<SessionEnded>()).Entry.ToByteArray());
    }

    [Fact]
    public async Task A_device_that_one_copy_knows_has_not_taken_over()
    {
        var anna = await SessionTests.RegisterAsync(_cluster, "anna");
        var login = await _cluster.Client(0).LogInAsync(new() { User = "anna", Secret = anna.Secret });
        _cluster.Replication.DiesAtAcceptOf = Anna;
        await FaultAsync(async () => await _cluster.Client(0).PublishKeysAsync(anna.Publication(login.Ticket)));

        var fault = await FaultAsync(async () =>
        {
            await using var line = await ChatConnection.OpenAsync(_cluster.Client(0), anna, epoch: 1);
        });
        Assert.Equal(StatusCode.Unavailable, fault.StatusCode);

        _cluster.Replication.IsCut = false;
        await using var again = await ChatConnection.OpenAsync(_cluster.Client(0), anna, epoch: 1);
        Assert.False(again.Welcome!.Degraded);
    }

    private async Task<RpcException> LoseAtAcceptAsync(ChatUser user)
    {
        _cluster.Replication.DiesAtAcceptOf = Anna;
        var fault = await RegisterFaultAsync(user);
        Assert.True(_cluster.Replication.IsCut);
        return fault;
    }

    private async Task TakeOverAsync(ChatUser user)
    {
        var login = await _cluster.Client(0).LogInAsync(new() { User = user.Name, Secret = user.Secret });
        await _cluster.Client(0).PublishKeysAsync(user.Publication(login.Ticket));
    }

    private Task<RpcException> RegisterFaultAsync(ChatUser user) =>
        FaultAsync(async () => await _cluster.Client(0).RegisterAsync(user.Registration()));

    private Task<RpcException> LoginFaultAsync(ChatUser user) =>
        FaultAsync(async () => await _cluster.Client(0).LogInAsync(new() { User = user.Name, Secret = user.Secret }));

    private static Task<RpcException> FaultAsync(Func<Task> call) => Assert.ThrowsAsync<RpcException>(call);
}
