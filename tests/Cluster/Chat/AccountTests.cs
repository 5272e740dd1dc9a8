using ChordChat.Core.Chat;
using ChordChat.Wire;
using Google.Protobuf;
using Grpc.Core;
using Xunit;

namespace ChordChat.Tests.Cluster.Chat;

public sealed class AccountTests : IAsyncLifetime
{
    private readonly ChatCluster _cluster = new(2);

    public Task InitializeAsync() => _cluster.InitializeAsync();

    public Task DisposeAsync() => _cluster.DisposeAsync();

    [Fact]
    public async Task Fifty_registrations_of_one_name_at_once_give_one_account()
    {
        var wishes = Enumerable.Range(0, 50).Select(_ => new ChatUser("anna").Registration()).ToArray();

        var codes = await Task.WhenAll(
            wishes.Select((wish, i) => CodeAsync(() => _cluster.Client(i % 2).RegisterAsync(wish))));

        Assert.Equal(1, codes.Count(code => code == StatusCode.OK));
        Assert.Equal(49, codes.Count(code => code == StatusCode.AlreadyExists));
        var winner = wishes[Array.IndexOf(codes, StatusCode.OK)];
        var reply = await _cluster.Client(1).LogInAsync(new LogInRequest { User = "anna", Secret = winner.Secret });
        Assert.Equal(winner.Keyring, reply.Keyring);
    }

    [Fact]
    public async Task Repeating_a_registration_at_another_node_succeeds_and_changes_nothing()
    {
        var wish = new ChatUser("anna").Registration();
        await _cluster.Client(0).RegisterAsync(wish);
        await _cluster.Client(1).RegisterAsync(wish);

        Assert.Equal(StatusCode.AlreadyExists,
            await CodeAsync(() => _cluster.Client(0).RegisterAsync(new ChatUser("anna").Registration())));
    }

    [Fact]
    public async Task A_registration_that_makes_no_sense_is_refused_before_anything_is_stored()
    {
        var good = new ChatUser("anna").Registration();
        RegisterRequest[] bad =
        [
            new(good) { User = "Anna" },
            new(good) { User = "an na" },
            new(good) { User = "bert" },
            new(good) { Secret = "short" },
            new(good) { Operation = ByteString.Empty },
            new(good) { Keyring = ByteString.CopyFromUtf8("another") },
            new(good) { Keyring = ByteString.CopyFrom(new byte[ChatLimits.KeyringBytesMax + 1]) },
            new(good) { KeyLogEntry = ByteString.Empty },
        ];

        foreach (var wish in bad)
            Assert.Equal(StatusCode.InvalidArgument, await CodeAsync(() => _cluster.Client(0).RegisterAsync(wish)));
        Assert.Equal(
            CheckNameReply.Types.State.Free,
            (await _cluster.Client(0).CheckNameAsync(new() { User = "anna" })).State);
    }

    [Fact]
    public async Task A_wrong_password_and_an_unknown_user_get_the_same_answer()
    {
        var anna = await RegisterAsync("anna");

        var wrong = await FaultAsync(
            () => _cluster.Client(0).LogInAsync(new() { User = "anna", Secret = new('x', 43) }));
        var unknown = await FaultAsync(
            () => _cluster.Client(0).LogInAsync(new() { User = "bert", Secret = anna.Secret }));

        Assert.Equal(StatusCode.Unauthenticated, wrong.StatusCode);
        Assert.Equal(wrong.Status, unknown.Status);
    }

    [Fact]
    public async Task After_five_wrong_passwords_the_sixth_try_waits_at_whichever_node_it_is_made()
    {
        var anna = await RegisterAsync("anna");
        for (var i = 0; i < 5; i++)
            Assert.Equal(StatusCode.Unauthenticated, await GuessAsync(i));
        // On a slow machine the first waits of 2 s, 4 s ... have passed before the next try.
        var pause = 2000;
        for (var i = 5; await GuessAsync(i) == StatusCode.Unauthenticated; i++)
            pause = pause < 900_000 ? pause * 2 : throw new InvalidOperationException("no guess had to wait");

        var fault = await FaultAsync(
            () => _cluster.Client(1).LogInAsync(new() { User = "anna", Secret = anna.Secret }));

        Assert.Equal(StatusCode.ResourceExhausted, fault.StatusCode);
        var wait = int.Parse(fault.Trailers.GetValue("retry-after-ms")!, null);
        Assert.InRange(wait, 1, pause);
        Assert.DoesNotContain(anna.Secret, fault.ToString(), StringComparison.Ordinal);
    }

    private Task<StatusCode> GuessAsync(int number) => CodeAsync(
        () => _cluster.Client(number % 2).LogInAsync(new() { User = "anna", Secret = new('x', 43) }));

    [Fact]
    public async Task The_parameters_of_the_password_come_from_the_signed_key_log()
    {
        var anna = await RegisterAsync("anna");
        var kdf = await _cluster.Client(1).GetKdfAsync(new() { User = "anna" });
        Assert.Equal(anna.Log[0].Kdf, Crypto.Passwords.KdfParameters.FromBytes(kdf.Iterations, kdf.Salt.Span));
    }

    [Fact]
    public async Task A_new_device_publishes_at_another_node_than_it_logged_in_and_the_log_grows()
    {
        var anna = await RegisterAsync("anna");
        var ticket = await TicketAsync(anna, 0);

        await _cluster.Client(1).PublishKeysAsync(anna.Publication(ticket));
        await _cluster.Client(0).PublishKeysAsync(anna.Publication(await TicketAsync(anna, 1)));

        var log = await _cluster.Client(0).GetKeyLogAsync(new() { User = "anna" }, _cluster.Pass);
        Assert.Equal(anna.Log.Select(entry => entry.Bytes.ToArray()), log.Entries.Select(entry => entry.ToByteArray()));
        var rest = await _cluster.Client(1).GetKeyLogAsync(new() { User = "anna", From = 1 }, _cluster.Pass);
        Assert.Equal(2, rest.Entries.Count);
        var login = await _cluster.Client(1).LogInAsync(new() { User = "anna", Secret = anna.Secret });
        Assert.Equal(anna.Keyring, login.Keyring.ToByteArray());
        Assert.Equal(3, login.KeyLog.Entries.Count);
    }

    [Fact]
    public async Task Repeating_a_publication_succeeds_and_a_late_one_is_told_that_another_came_first()
    {
        var anna = await RegisterAsync("anna");
        var ticket = await TicketAsync(anna, 0);
        var first = anna.Publication(ticket);
        anna.Log.RemoveAt(1);
        var second = anna.Publication(ticket);

        await _cluster.Client(0).PublishKeysAsync(first);
        await _cluster.Client(1).PublishKeysAsync(first);

        Assert.Equal(StatusCode.Aborted, await CodeAsync(() => _cluster.Client(0).PublishKeysAsync(second)));
    }

    [Fact]
    public async Task Nothing_is_published_with_somebody_elses_ticket_or_a_made_up_one()
    {
        var anna = await RegisterAsync("anna");
        var bert = await RegisterAsync("bert");
        var bad = anna.Publication(await TicketAsync(bert, 0));

        Assert.Equal(StatusCode.Unauthenticated, await CodeAsync(() => _cluster.Client(0).PublishKeysAsync(bad)));
        bad.Ticket = ByteString.CopyFrom(new byte[32]);
        Assert.Equal(StatusCode.Unauthenticated, await CodeAsync(() => _cluster.Client(0).PublishKeysAsync(bad)));
        bad.Ticket = ByteString.Empty;
        Assert.Equal(StatusCode.Unauthenticated, await CodeAsync(() => _cluster.Client(0).PublishKeysAsync(bad)));
    }

    [Fact]
    public async Task Without_a_majority_a_login_is_degraded_and_nothing_can_be_changed()
    {
        var anna = await RegisterAsync("anna");
        var ticket = await TicketAsync(anna, 0);
        _cluster.Replication.IsCut = true;

        var login = await _cluster.Client(0).LogInAsync(new() { User = "anna", Secret = anna.Secret });

        Assert.True(login.Degraded);
        Assert.Empty(login.Ticket);
        Assert.Equal(StatusCode.Unavailable, await CodeAsync(
            () => _cluster.Client(0).PublishKeysAsync(anna.Publication(ticket))));
        Assert.Equal(StatusCode.Unavailable, await CodeAsync(
            () => _cluster.Client(0).RegisterAsync(new ChatUser("bert").Registration())));
    }

    /// <summary>A user was told "too many attempts" after a single one.</summary>
    [Fact]
    public async Task What_nobody_could_check_is_no_guess()
    {
        _cluster.Replication.IsCut = true;
        for (var i = 0; i < 3 * GuessThrottle.FreeCount; i++)
            Assert.Equal(StatusCode.Unavailable, await CodeAsync(
                () => _cluster.Client(i % 2).LogInAsync(new() { User = "carl", Secret = new('x', 43) })));
    }

    [Fact]
    public async Task Where_names_the_nodes_that_keep_the_mailbox()
    {
        await RegisterAsync("anna");
        var place = await _cluster.Client(0).WhereAsync(new() { User = "anna" }, _cluster.Pass);
        Assert.Equal(["n1", "n2"], place.Members.Select(member => member.Name));
        Assert.Equal(["n1", "n2"], place.Answering);
        Assert.Equal(
            StatusCode.NotFound,
            await CodeAsync(() => _cluster.Client(0).WhereAsync(new() { User = "bert" }, _cluster.Pass)));
        Assert.Equal(
            StatusCode.NotFound,
            await CodeAsync(() => _cluster.Client(0).GetStatusAsync(new() { User = "B" }, _cluster.Pass)));
    }

    private async Task<ChatUser> RegisterAsync(string name)
    {
        var user = new ChatUser(name);
        await _cluster.Client(0).RegisterAsync(user.Registration());
        return user;
    }

    private async Task<ByteString> TicketAsync(ChatUser user, int node) =>
        (await _cluster.Client(node).LogInAsync(new() { User = user.Name, Secret = user.Secret })).Ticket;

    private static async Task<StatusCode> CodeAsync<T>(Func<AsyncUnaryCall<T>> call)
    {
        try
        {
            await call();
            return StatusCode.OK;
        }
        catch (RpcException fault)
        {
            return fault.StatusCode;
        }
    }

    private static Task<RpcException> FaultAsync<T>(Func<AsyncUnaryCall<T>> call) =>
        Assert.ThrowsAsync<RpcException>(async () => await call());
}
