using ChordChat.Node.Chat;
using ChordChat.Tests.Cluster.Nodes;
using ChordChat.Wire;
using Google.Protobuf;
using Xunit;

namespace ChordChat.Tests.Cluster.Chat;

/// <summary>docs/protocol.md#presence: what the answers to a message tell its sender of the recipient.</summary>
public sealed class QuietAnswerTests
{
    private const SendOutcome.Types.State Kept = SendOutcome.Types.State.Kept;
    private const SendOutcome.Types.State Queued = SendOutcome.Types.State.Queued;
    private const SendOutcome.Types.State Refused = SendOutcome.Types.State.Refused;

    /// <summary>Byte by byte but for the message's id and the recipient's name, which have the same length.</summary>
    [Theory]
    [InlineData(PresenceRule.Contacts, 0)]
    [InlineData(PresenceRule.Contacts, 1)]
    [InlineData(PresenceRule.Everybody, 0)]
    [InlineData(PresenceRule.Everybody, 1)]
    public async Task A_stranger_gets_the_same_answers_from_one_online_and_one_offline(PresenceRule rule, int node)
    {
        await using var world = await World.StartAsync(rule, node);

        Assert.Equal(await world.OutcomesAsync("carl", Kept), await world.OutcomesAsync("bert", Kept));
        Assert.Equal(
            await world.OutcomesAsync("carl", Queued, isSignal: true),
            await world.OutcomesAsync("bert", Queued, isSignal: true));

        world.Cluster.Replication.IsCut = true;
        Assert.Equal(await world.OutcomesAsync("carl", Queued), await world.OutcomesAsync("bert", Queued));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task Among_contacts_only_a_full_mailbox_says_nothing_to_a_stranger_of_who_is_online(int node)
    {
        await using var world = await World.StartAsync(PresenceRule.Contacts, node);
        world.Cluster.Replication.MessageCountMax = 0;
        Assert.Equal(await world.OutcomesAsync("carl", Refused), await world.OutcomesAsync("bert", Refused));

        world.Cluster.Replication.IsCut = true;
        await world.OutcomesAsync("carl", Queued);
        await world.OutcomesAsync("bert", Queued);
        world.Cluster.Replication.IsCut = false; // The node tries all again, and hears that there is no room.
        var refused = new List<SendOutcome>();
        for (var i = 0; i < 4; i++)
            refused.Add(await world.RefusedAsync());
        Assert.Equal(["bert", "bert", "carl", "carl"], [.. refused.Select(World.RecipientOf).Order()]);
        Assert.Single(refused.Select(World.WithoutNames).Distinct());
        Assert.DoesNotContain(world.Bert.Rest(), item => item is Push);
    }

    /// <summary>A mailbox calls an old message too late, but not one that it still holds.</summary>
    [Fact]
    public async Task Among_contacts_only_an_old_message_handed_in_again_does_not_tell_a_stranger_whether_it_was_read()
    {
        await using var world = await World.StartAsync(PresenceRule.Contacts, 1);
        var send = await world.SendAsync("bert");
        await world.Bert.AcknowledgeAsync((await world.Bert.NextAsync<Push>()).Id);
        send.AgeMs = (ulong)TimeSpan.FromDays(4).TotalMilliseconds;
        await world.Anna.SendAsync(send);
        Assert.Equal("too_late", (await world.RefusedAsync()).Code);

        await using var open = await World.StartAsync(PresenceRule.Everybody, 1);
        send = await open.SendAsync("carl");
        send.AgeMs = (ulong)TimeSpan.FromDays(4).TotalMilliseconds;
        await open.Anna.NextAsync<SendOutcome>(outcome => outcome.State == Kept);
        await open.Anna.SendAsync(send);
        await open.Anna.NextAsync<SendOutcome>(outcome => outcome.State == Kept);
    }

    /// <summary>docs/protocol.md#one-id: a tombstone has no bytes to compare with.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Among_contacts_only_another_message_of_the_same_id_does_not_tell_whether_the_first_was_read(
        bool isRead)
    {
        await using var world = await World.StartAsync(PresenceRule.Contacts, 1);
        var send = await world.SendAsync("bert");
        await world.Anna.NextAsync<SendOutcome>(outcome => outcome.Id == send.Id && outcome.State == Kept);
        var push = await world.Bert.NextAsync<Push>();
        if (isRead)
        {
            await world.Bert.AcknowledgeAsync(push.Id);
            await Condition.UntilAsync("it is acknowledged", TimeSpan.FromSeconds(10), () => Task.FromResult(
                world.Cluster.Replication.PendingCount("bert") == 0));
        }

        var other = send.Envelope.ToByteArray();
        other[^1] ^= 1;
        send.Envelope = ByteString.CopyFrom(other);
        await world.Anna.SendAsync(send);
        var outcome = await world.Anna.NextAsync<SendOutcome>(outcome => outcome.Id == send.Id);
        Assert.Equal((Kept, ""), (outcome.State, outcome.Code));

        // Nor is it handed over in place of the first, which its acknowledgement would bury.
        var next = await world.SendAsync("bert");
        Assert.Equal(next.Id, (await world.Bert.NextAsync<Push>()).Id);
    }

    [Fact]
    public async Task Among_contacts_only_a_strangers_message_is_handed_over_once_it_is_kept()
    {
        await using var world = await World.StartAsync(PresenceRule.Contacts, 1);
        var first = await world.SendAsync("bert");
        Assert.Equal(first.Id, (await world.Bert.NextAsync<Push>()).Id);

        world.Cluster.Replication.IsCut = true;
        var second = await world.SendAsync("bert");
        await world.Anna.NextAsync<SendOutcome>(outcome => outcome.Id == second.Id && outcome.State == Queued);
        world.Cluster.Replication.IsCut = false;
        await world.Anna.NextAsync<SendOutcome>(outcome => outcome.Id == second.Id && outcome.State == Kept);
        Assert.Equal(second.Id, (await world.Bert.NextAsync<Push>()).Id);
    }

    /// <summary>docs/protocol.md#tombstone-limit: else two clients could pass each other any number of messages through
    /// a mailbox that takes no more, and each would leave a tombstone.</summary>
    [Fact]
    public async Task After_a_mailbox_had_no_room_its_mail_is_handed_over_once_it_is_kept()
    {
        await using var world = await World.StartAsync(PresenceRule.Everybody, 1);
        world.Cluster.Replication.MessageCountMax = 0;
        var first = await world.SendAsync("bert"); // That there is no room is found out beside the delivery.
        Assert.Equal(first.Id, (await world.Bert.NextAsync<Push>()).Id);
        await world.Anna.NextAsync<SendOutcome>(outcome => outcome.Id == first.Id && outcome.State == Queued);
        var second = await world.SendAsync("bert");
        Assert.Equal(second.Id, (await world.RefusedAsync()).Id);

        world.Cluster.Replication.MessageCountMax = 10;
        var third = await world.SendAsync("bert");
        Assert.Equal(third.Id, (await world.Bert.NextAsync<Push>()).Id);
    }

    /// <summary>Anna at node 0, bert online at one node, carl offline; nobody has ever written to anybody.</summary>
    private sealed class World : IAsyncDisposable
    {
        public required ChatCluster Cluster { get; init; }
        public required ChatUser Sender { get; init; }
        public required ChatConnection Anna { get; init; }
        public required ChatConnection Bert { get; init; }

        public static async Task<World> StartAsync(PresenceRule rule, int node)
        {
            var cluster = new ChatCluster(2, options: ChatCluster.Quick with { Presence = rule });
            await cluster.InitializeAsync();
            cluster.Replication.KeepsAllAtOnce = true; // So that one answer says it all.
            var sender = await SessionTests.RegisterAsync(cluster, "anna");
            var bert = await SessionTests.RegisterAsync(cluster, "bert");
            await SessionTests.RegisterAsync(cluster, "carl");
            var online = await ChatConnection.OpenAsync(cluster.Client(node), bert);
            await online.NextAsync<string>(text => text == "caught up");
            return new World
            {
                Cluster = cluster,
                Sender = sender,
                Anna = await ChatConnection.OpenAsync(cluster.Client(0), sender),
                Bert = online,
            };
        }

        public async Task<Send> SendAsync(string to, bool isSignal = false)
        {
            var send = Sender.Seal(to, "hello");
            if (isSignal)
                send.Envelope = AsSignal(send.Envelope);
            await Anna.SendAsync(send);
            return send;
        }

        /// <summary>All that is said of one message, in order, until nothing is on its way any more.</summary>
        public async Task<IEnumerable<string>> OutcomesAsync(
            string to, SendOutcome.Types.State state, bool isSignal = false)
        {
            var send = await SendAsync(to, isSignal);
            var outcomes = new List<SendOutcome>
            {
                await Anna.NextAsync<SendOutcome>(outcome => outcome.Id == send.Id),
            };
            Assert.Equal(state, outcomes[0].State);

            // Behind a message to the same person, which is answered last, and a heartbeat.
            var last = await SendAsync(to, isSignal);
            await Anna.NextAsync<SendOutcome>(outcome => Keep(outcome).Id == last.Id);
            await Anna.WriteAsync(new ClientFrame { Heartbeat = true });
            await Anna.NextAsync<string>(text => text == "heartbeat");
            return outcomes.Select(WithoutNames);

            SendOutcome Keep(SendOutcome outcome)
            {
                if (outcome.Id == send.Id)
                    outcomes.Add(outcome);
                return outcome;
            }
        }

        public Task<SendOutcome> RefusedAsync() =>
            Anna.NextAsync<SendOutcome>(outcome => outcome.State == Refused);

        public static string RecipientOf(SendOutcome outcome) =>
            outcome.Text.Contains("bert", StringComparison.Ordinal) ? "bert" : "carl";

        public static string WithoutNames(SendOutcome outcome) => Convert.ToHexString(new SendOutcome(outcome)
        {
            Id = ByteString.Empty,
            Text = outcome.Text.Replace("bert", "carl", StringComparison.Ordinal),
        }.ToByteArray());

        public async ValueTask DisposeAsync()
        {
            await Anna.DisposeAsync();
            await Bert.DisposeAsync();
            await Cluster.DisposeAsync();
        }

        /// <summary>The flag stands behind magic, version, cluster, conversation and id.</summary>
        private static ByteString AsSignal(ByteString envelope)
        {
            var bytes = envelope.ToByteArray();
            bytes[4 + 1 + 16 + 32 + 16] |= 1;
            return ByteString.CopyFrom(bytes);
        }
    }
}
