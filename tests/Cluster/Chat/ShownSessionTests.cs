using System.Security.Cryptography;
using ChordChat.Core.Chat;
using ChordChat.Core.Ring;
using ChordChat.Crypto.Sessions;
using ChordChat.Node.Chat;
using ChordChat.Node.Tiles;
using Xunit;

namespace ChordChat.Tests.Cluster.Chat;

/// <summary>docs/protocol.md#session-proofs: what a proof is worth while the account's copies answer and while they do
/// not, and after its user has logged in anew.</summary>
public sealed class ShownSessionTests : IAsyncLifetime
{
    private static readonly NodeId Old = new(7, 7);
    private static readonly NodeId New = new(8, 8);

    private readonly ChatCluster _cluster = new(1);
    private readonly ChatUser _anna = new("anna");

    private ShownSessions Shown => _cluster.Get<ShownSessions>(0);

    public async Task InitializeAsync()
    {
        await _cluster.InitializeAsync();
        await _cluster.Client(0).RegisterAsync(_anna.Registration());
    }

    public Task DisposeAsync() => _cluster.DisposeAsync();

    [Fact]
    public async Task What_was_proved_before_a_cut_is_not_lost_by_it_and_a_stranger_may_only_send_without_any_copy()
    {
        Assert.Equal(SessionRight.Change, await ShowAsync(Old, epoch: 1));
        _cluster.Replication.IsCut = true;

        Assert.Equal(SessionRight.Change, await ShowAsync(Old, epoch: 1));
        Assert.Equal(SessionRight.Read, await ShowAsync(New, epoch: 1)); // The copy that answers knows the device.
        Assert.Equal(SessionRight.None, await Shown.ShowAsync(New, Forged(epoch: 1)));
        Assert.Equal(SessionRight.None, await Shown.ShowAsync(New, Forged(epoch: 9)));

        _cluster.Replication.Silent = RegisterKey.Account("anna"); // No copy answers in time.
        Assert.Equal(SessionRight.Send, await Shown.ShowAsync(New, Forged(epoch: 1)));
        Assert.Equal(SessionRight.Change, await ShowAsync(Old, epoch: 1));
        Assert.False(Shown.Allow(New, new SessionNeed("anna", SessionRight.Read)));
    }

    /// <summary>A round of reading takes as long as the judge waits, and there are eight.</summary>
    [Fact]
    public async Task A_copy_that_answers_in_time_counts_when_no_majority_does()
    {
        var account = RegisterKey.Account("anna");
        var own = Assert.IsType<ReadOutcome.Agreed>(
            await _cluster.Replication.ReadAsync(account, CancellationToken.None)).Value;
        _cluster.Replication.Late = account;
        _cluster.Replication.Shown[account] = new(own);

        Assert.Equal(SessionRight.None, await Shown.ShowAsync(New, Forged(epoch: 1)));
        Assert.Equal(SessionRight.Read, await ShowAsync(New, epoch: 1));

        // A copy that lies takes from nobody the right to hand in mail that another one says they have.
        var other = new ChatUser("anna");
        other.Registration();
        var made = Account.FromBytes(own) with { Head = new(0, 1, other.Log[0].Bytes) };
        ReadOnlyMemory<byte>[] lies = [made.ToBytes(), (made with { User = "carl" }).ToBytes(), new byte[9]];
        foreach (var lie in lies)
        {
            _cluster.Replication.Shown[account] = new(lie) { Others = [own] };
            Assert.InRange(await ShowAsync(Old, epoch: 1), SessionRight.Send, SessionRight.Read);
            Assert.Equal(SessionRight.None, await Shown.ShowAsync(New, Forged(epoch: 1)));
        }
    }

    [Fact]
    public async Task One_copy_that_lies_takes_nothing_that_a_majority_has_proved()
    {
        var account = RegisterKey.Account("anna");
        var own = Assert.IsType<ReadOutcome.Agreed>(
            await _cluster.Replication.ReadAsync(account, CancellationToken.None)).Value;
        Assert.NotEqual(SessionRight.None, await ShowAsync(New, epoch: 1));
        var other = new ChatUser("anna");
        other.Registration();
        _cluster.Replication.Late = account;
        _cluster.Replication.Shown[account] =
            new((Account.FromBytes(own) with { Head = new(0, 1, other.Log[0].Bytes) }).ToBytes());
        await ShowAsync(New, epoch: 1);
        Assert.True(Shown.Allow(New, new SessionNeed("anna", SessionRight.Read)));
    }

    [Fact]
    public async Task A_hello_of_an_older_device_is_judged_by_the_entry_that_a_copy_shows_in_time()
    {
        var login = await _cluster.Client(0).LogInAsync(new() { User = "anna", Secret = _anna.Secret });
        await _cluster.Client(0).PublishKeysAsync(_anna.Publication(login.Ticket));
        var entry = RegisterKey.KeyLog("anna", 0);
        _cluster.Replication.Late = entry;
        _cluster.Replication.Shown[entry] = new(new byte[9]) { Others = [_anna.Log[0].Bytes] };

        Assert.Equal(SessionRight.Send, await ShowAsync(New, epoch: 1));
        Assert.Equal(SessionRight.None, await Shown.ShowAsync(New, Forged(epoch: 1)));
    }

    [Fact]
    public async Task A_login_at_another_node_leaves_the_old_one_the_right_to_hand_in_what_is_under_way()
    {
        await ShowAsync(Old, epoch: 1);
        var login = await _cluster.Client(0).LogInAsync(new() { User = "anna", Secret = _anna.Secret });
        await _cluster.Client(0).PublishKeysAsync(_anna.Publication(login.Ticket));
        Assert.True(Shown.Allow(Old, new SessionNeed("anna", SessionRight.Change))); // Not judged anew yet.

        Assert.Equal(SessionRight.Change, await ShowAsync(New, epoch: 2));
        Assert.False(Shown.Allow(Old, new SessionNeed("anna", SessionRight.Read)));
        Assert.True(Shown.Allow(Old, new SessionNeed("anna", SessionRight.Send)));
        Assert.Equal(SessionRight.Send, await ShowAsync(Old, epoch: 1));
    }

    [Fact]
    public async Task Whose_name_nobody_has_proves_nothing()
    {
        var nobody = new ChatUser("nobody");
        nobody.Registration();

        Assert.Equal(SessionRight.None, await Shown.ShowAsync(Old, Hello(nobody, Old, 1)));
        Assert.Equal(SessionRight.None, await ShowAsync(Old, epoch: 0));
    }

    /// <summary>Each hello that it shows takes a second to judge.</summary>
    [Fact]
    public async Task A_node_that_shows_a_thousand_hellos_holds_up_no_other()
    {
        var carl = new ChatUser("carl");
        await _cluster.Client(0).RegisterAsync(carl.Registration());
        Assert.Equal(SessionRight.Change, await ShowAsync(Old, epoch: 1));
        _cluster.Replication.Silent = RegisterKey.Account("anna");
        var many = Enumerable.Range(0, 1_000).Select(_ => ShowAsync(Old, epoch: 1)).ToArray();

        Assert.Equal(SessionRight.Change, await Shown.ShowAsync(New, Hello(carl, New, 1)));
        Assert.InRange(many.Count(shown => shown.IsCompleted), 0, 100);

        // Past its line it is told nothing, and keeps what it has.
        var more = Enumerable.Range(0, 200).Select(_ => ShowAsync(Old, epoch: 1)).ToArray();
        Assert.InRange(more.Count(shown => shown.IsCompleted), 100, 200);
        Assert.True(Shown.Allow(Old, new SessionNeed("anna", SessionRight.Change)));
        _cluster.Replication.Silent = null;
    }

    private Task<SessionRight> ShowAsync(NodeId node, uint epoch) =>
        Shown.ShowAsync(node, epoch == 0 ? Forged(0) : Hello(_anna, node, epoch));

    private static KeptHello Forged(uint epoch) => new(
        new("anna", epoch, RandomNumberGenerator.GetBytes(32), RandomNumberGenerator.GetBytes(64), ""),
        RandomNumberGenerator.GetBytes(32));

    private static KeptHello Hello(ChatUser user, NodeId node, uint epoch)
    {
        var (mine, theirs) = (RandomNumberGenerator.GetBytes(32), RandomNumberGenerator.GetBytes(32));
        var signature = SessionProof.Sign(
            user.Device(epoch), user.Cluster, node.ToBytes(), user.Name, epoch, mine, theirs);
        return new(new(user.Name, epoch, theirs, signature, ""), mine);
    }
}
