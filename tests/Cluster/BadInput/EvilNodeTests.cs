using System.Collections.Immutable;
using System.Text;
using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Repair;
using ChordChat.Node;
using ChordChat.Node.Chat;
using ChordChat.Node.Identity;
using ChordChat.Node.Links;
using ChordChat.Node.Ring;
using ChordChat.Node.Tiles;
using ChordChat.Tests.Cluster.Nodes;
using ChordChat.Wire;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace ChordChat.Tests.Cluster.BadInput;

/// <summary>docs/protocol.md#what-a-member-may-ask: what one lying node cannot do to the others.</summary>
public sealed class EvilNodeTests
{
    private const ulong FarAhead = 1UL << 62;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Who_is_no_member_of_a_tile_gets_none_of_its_rows_and_does_not_move_it()
    {
        await using var cluster = await NodeCluster.StartAsync(3);
        var outsider = cluster.Enrol("mallory");
        var key = OwnKeyOf(cluster, "n1");
        var tile = TileOf(cluster, "n1", key);
        foreach (var name in cluster.Names.ToArray())
        {
            await using var evil = await EvilNode.LinkAsync(outsider, cluster[name]);
            var (ballot, mine) = (evil.Ballot(tile.Epoch, 9), tile.Next([evil.Node, .. tile.Members.Skip(1)]));
            var all = new BucketSet(UInt128.MaxValue, UInt128.MaxValue);
            ReplicaRequest[] wishes =
            [
                new ReplicaRequest.Missing(tile.At, all, default, null, []),
                new ReplicaRequest.Forget(tile.At, "mbox/bob", []),
                new ReplicaRequest.Seal(tile.At, ballot),
                new ReplicaRequest.Decide(tile.At, ballot, mine),
            ];
            foreach (var wish in wishes)
                Assert.Equal(Answer.BodyOneofCase.Failed, (await evil.AskAsync(wish)).BodyCase);
            foreach (var news in (TileConfiguration[])[mine, mine with { Generation = 1 }])
                Assert.Equal(tile, (await evil.AskAsync(new ReplicaRequest.NewConfiguration(news, tile)))
                    .Standing?.Newest.ToCore());
            Assert.Equal(
                Answer.BodyOneofCase.Behind, (await evil.AskAsync(new ReplicaRequest.Pull(mine.At, default, 1 << 20)))
                    .BodyCase);
            var compared = await evil.AskAsync(new ReplicaRequest.Compare([new TileSum(tile.At, 7)]));
            Assert.Empty(compared.Differing.Tiles);
        }

        Assert.Equal(tile, TileOf(cluster, "n1", key));
        await WriteAsync(cluster, "n2", OwnKeyOf(cluster, "n2"));
    }

    [Fact]
    public async Task Who_is_a_member_cannot_make_itself_the_only_one_nor_bring_in_who_is_not_there()
    {
        await using var cluster = await NodeCluster.StartAsync(3, absent: 1);
        await using var evil = await EvilNode.LinkAsync(cluster.IdentityOf("n3"), cluster["n1"]);
        var tile = TileOf(cluster, "n1", OwnKeyOf(cluster, "n1"));
        var ballot = evil.Ballot(tile.Epoch, 9);
        Core.Ring.NodeId[] madeUp = [new(1, 1), new(2, 2)];
        using (var channel = EvilNode.ChannelTo(cluster.IdentityOf("n3"), cluster.AddressOf("n1")))
            foreach (var node in madeUp)
                await TellAsync(cluster.IdentityOf("n3"), channel, new Member(
                    new(node, new(node.High), $"x{node.High}", "127.0.0.1:9"), 1, Health.Alive, 0));
        Assert.All(madeUp, node => Assert.NotNull(cluster.MembersSeenBy("n1")[node]));
        foreach (var wanted in (ImmutableArray<Core.Ring.NodeId>[])[[evil.Node], [evil.Node, .. madeUp]])
        {
            var decided = await evil.AskAsync(new ReplicaRequest.Decide(tile.At, ballot, tile.Next(wanted)));
            Assert.Equal(Answer.BodyOneofCase.Failed, decided.BodyCase);
        }

        var alone = tile.Next([evil.Node]);
        Assert.Equal(
            Answer.BodyOneofCase.Failed,
            (await evil.AskAsync(new ReplicaRequest.NewConfiguration(alone, tile))).BodyCase);
        Assert.Equal(tile, TileOf(cluster, "n1", OwnKeyOf(cluster, "n1")));
    }

    /// <summary>Many members would stay for ever, since no steward makes a tile smaller; those that are gone would stop
    /// it.</summary>
    [Fact]
    public async Task Who_is_a_member_gives_the_tile_to_no_more_nodes_than_there_are_copies_nor_to_one_that_is_gone()
    {
        await using var cluster = await NodeCluster.StartAsync(5, absent: 1);
        await using var evil = await EvilNode.LinkAsync(cluster.IdentityOf("n5"), cluster["n1"]);
        var tile = cluster["n1"].Services.GetRequiredService<TileBoard>().All
            .Select(header => header.Configuration).First(known => known.Contains(evil.Node));
        string[] others = [.. cluster.Names.Where(name => !tile.Contains(cluster[name].Node.Self.Node))];
        var (living, gone) = (cluster[others[0]].Node.Self.Node, cluster[others[1]].Node.Self.Node);
        await DecidesNotAsync([.. tile.Members, living]);
        await cluster.StopAsync(others[1]);
        await Condition.UntilAsync("n1 knows that it is gone", Patience, () =>
            Task.FromResult(cluster.MembersSeenBy("n1")[gone]!.Health is Health.Left or Health.Dead));
        await DecidesNotAsync([evil.Node, tile.Members.First(node => node != evil.Node), gone]);

        async Task DecidesNotAsync(ImmutableArray<Core.Ring.NodeId> wanted)
        {
            var decided = await evil.AskAsync(
                new ReplicaRequest.Decide(tile.At, evil.Ballot(tile.Epoch, 9), tile.Next(wanted)));
            Assert.Contains("a tile is not given to", decided.Failed.Text);
        }
    }

    /// <summary>docs/protocol.md#next-members: tiles are never merged again.</summary>
    [Fact]
    public async Task Who_is_a_member_cuts_no_tile_that_is_neither_too_wide_nor_too_large()
    {
        await using var cluster = await NodeCluster.StartAsync(3, absent: 1);
        await using var evil = await EvilNode.LinkAsync(cluster.IdentityOf("n3"), cluster["n1"]);
        var tile = TileOf(cluster, "n1", OwnKeyOf(cluster, "n1"));
        var cut = tile.Next(tile.Members) with { Tile = tile.Tile.First, Splits = [tile.Epoch] };
        var ballot = evil.Ballot(tile.Epoch, 9);
        var refused = await evil.AskAsync(new ReplicaRequest.Decide(tile.At, ballot, cut));
        Assert.Contains("cut without need", refused.Failed.Text);
        var other = tile.Next(tile.Members) with { Splits = [tile.Epoch] }; // Of another circle.
        Assert.Equal(
            Answer.BodyOneofCase.Failed,
            (await evil.AskAsync(new ReplicaRequest.Decide(tile.At, ballot, other))).BodyCase);
    }

    [Fact]
    public async Task A_ballot_far_ahead_or_in_the_name_of_another_spoils_no_register()
    {
        await using var cluster = await NodeCluster.StartAsync(3);
        var outsider = cluster.Enrol("mallory");
        var key = OwnKeyOf(cluster, "n1");
        var tile = TileOf(cluster, "n1", key);
        foreach (var name in cluster.Names.ToArray())
        {
            await using var evil = await EvilNode.LinkAsync(outsider, cluster[name]);
            var mine = evil.Ballot(tile.Epoch, FarAhead);
            Assert.Equal(
                Answer.BodyOneofCase.Nack,
                (await evil.AskAsync(new ReplicaRequest.Prepare(tile.At, "acct/nobody", mine))).BodyCase);
            foreach (var other in (Ballot[])[mine with { Proposer = cluster["n1"].Node.Self.Node, Round = 9 },
                mine with { Epoch = tile.Epoch + 1, Round = 9 }])
                Assert.Equal(
                    Answer.BodyOneofCase.Failed,
                    (await evil.AskAsync(new ReplicaRequest.Prepare(tile.At, key.Name, other))).BodyCase);
        }

        await WriteAsync(cluster, "n1", key);
    }

    /// <summary>Each node hears from one liar that it has seen more of it than there is.</summary>
    [Fact]
    public async Task One_false_count_from_each_call_stops_nobody()
    {
        await using var cluster = await NodeCluster.StartAsync(3);
        var outsider = cluster.Enrol("mallory");
        foreach (var name in cluster.Names.ToArray())
        {
            foreach (var start in (ulong[])[1, 2, 99])
                await RefuseAsync(outsider, cluster[name], start, () => Task.CompletedTask);
            Assert.True(cluster[name].Services.GetRequiredService<DiskGuard>().IsOpen, name);
        }

        foreach (var name in cluster.Names)
            await WriteAsync(cluster, name, OwnKeyOf(cluster, name));
    }

    /// <summary>docs/protocol.md#voices: the liar calls all others dead first, so that nobody else has a voice.
    /// </summary>
    [Fact]
    public async Task One_false_count_stops_nobody_to_whom_all_others_are_said_to_be_dead()
    {
        await using var cluster = await NodeCluster.StartAsync(3);
        var outsider = cluster.Enrol("mallory");
        foreach (var name in cluster.Names.ToArray())
        {
            using var channel = EvilNode.ChannelTo(outsider, cluster.AddressOf(name));
            foreach (var health in (Health[])[Health.Dead, Health.Left])
                for (var i = 0; i < 5; i++) // They soon say that they live.
                    await RefuseAsync(outsider, cluster[name], start: 2, () => TellAsync(
                        outsider, channel, [.. cluster.MembersSeenBy(name).All
                            .Where(member => member.Peer != cluster.MembersSeenBy(name).Self
                                && member.Peer.Node != outsider.Self.Node)
                            .Select(member => member with { Health = health })]));
            Assert.True(cluster[name].Services.GetRequiredService<DiskGuard>().IsOpen, name);
        }

        await cluster.SettleAsync();
        foreach (var name in cluster.Names)
            await WriteAsync(cluster, name, OwnKeyOf(cluster, name));
    }

    /// <summary>docs/protocol.md#voices: it is the only other one that is there.</summary>
    [Fact]
    public async Task One_false_count_stops_nobody_whose_honest_neighbour_was_stopped()
    {
        await using var cluster = await NodeCluster.StartAsync(2);
        var outsider = cluster.Enrol("mallory");
        var gone = cluster["n2"].Node.Self.Node;
        await cluster.StopAsync("n2");
        await Condition.UntilAsync("n1 knows that n2 has left", Patience, () =>
            Task.FromResult(cluster.MembersSeenBy("n1")[gone]!.IsGone));
        using var channel = EvilNode.ChannelTo(outsider, cluster.AddressOf("n1"));
        await RefuseAsync(outsider, cluster["n1"], start: 2, () => TellAsync(outsider, channel)); // It speaks, too.
        Assert.True(cluster["n1"].Services.GetRequiredService<DiskGuard>().IsOpen);
        await cluster.StartAsync("n2");
        await cluster.SettleAsync();
    }

    /// <summary>docs/protocol.md#ring-gossip: nor whatever it makes others ask that node.</summary>
    [Fact]
    public async Task A_node_that_refuses_another_ones_calls_as_too_many_is_not_silent_to_it()
    {
        await using var cluster = await NodeCluster.StartAsync(2);
        var outsider = cluster.Enrol("mallory");
        var (own, target) = (cluster.MembersSeenBy("n1").Own, cluster.MembersSeenBy("n2").Self);
        var line = cluster["n2"].Services.GetRequiredService<CallersInLine>();
        var places = await FillAsync();
        var calls = cluster["n1"].Services.GetRequiredService<RingCalls>();
        Assert.True(await calls.AskAliveAsync(target, own, Patience, CancellationToken.None));
        var why = ProbeMiss.Silent;
        Assert.Null(await calls.PingAsync(
            new(0, target, own, [], false, 0, Patience), missed => why = missed, CancellationToken.None));
        Assert.Equal(ProbeMiss.Busy, why);
        using var channel = EvilNode.ChannelTo(outsider, cluster.AddressOf("n1"));
        var ring = new Wire.Ring.RingClient(channel);
        var request = new PingForRequest { Target = target.ToWire() };
        Assert.True((await ring.PingForAsync(request, deadline: DateTime.UtcNow + Patience)).Answered);
        Array.ForEach(places, place => place.Dispose());
        var refused = await Assert.ThrowsAsync<Grpc.Core.RpcException>(async () =>
        {
            for (var i = 0; i < 10_000; i++)
                await Task.WhenAll(Enumerable.Range(0, 20).Select(_ =>
                    ring.PingForAsync(request, deadline: DateTime.UtcNow + Patience).ResponseAsync));
        });
        Assert.Equal(Grpc.Core.StatusCode.ResourceExhausted, refused.StatusCode);
        var point = new FindSuccessorRequest { Position = target.Position.ToWire() };
        refused = await Assert.ThrowsAsync<Grpc.Core.RpcException>(async () =>
        {
            for (var i = 0; i < 10_000; i++)
                await Task.WhenAll(Enumerable.Range(0, 50).Select(_ =>
                    ring.FindSuccessorAsync(point, deadline: DateTime.UtcNow + Patience).ResponseAsync));
        });
        Assert.Equal(Grpc.Core.StatusCode.ResourceExhausted, refused.StatusCode);
        var audit = new AuditNews.Failed(outsider.Self.At("127.0.0.1:1"), 1).ToWire();
        for (var i = 0; i < 300; i++) // Beyond the pace they are passed over.
            await ring.AuditAsync(audit, deadline: DateTime.UtcNow + Patience);
        await ring.GetRingAsync(new(), deadline: DateTime.UtcNow + Patience);
        Assert.Equal(Health.Alive, cluster.MembersSeenBy("n1")[target.Node]!.Health);

        async Task<IDisposable[]> FillAsync()
        {
            var taken = new List<IDisposable>();
            await Condition.UntilAsync("all places of n1 at n2 are taken", Patience, () =>
            {
                try
                {
                    while (taken.Count < CallersInLine.OfMemberMax)
                        taken.Add(line.Enter(own.Peer.Node));
                }
                catch (Grpc.Core.RpcException)
                {
                    // One of its own calls has a place just now.
                }

                return Task.FromResult(taken.Count == CallersInLine.OfMemberMax);
            });
            return [.. taken];
        }
    }

    /// <summary>docs/protocol.md#ring-hearsay</summary>
    [Fact]
    public async Task What_one_node_says_of_another_one_drives_nobody_out_of_the_ring()
    {
        await using var cluster = await NodeCluster.StartAsync(3);
        var outsider = cluster.Enrol("mallory");
        var victim = cluster.MembersSeenBy("n2").Own;
        foreach (var name in (string[])["n1", "n2"])
        {
            using var channel = EvilNode.ChannelTo(outsider, cluster.AddressOf(name));
            foreach (var incarnation in (ulong[])[FarAhead >> 3, FarAhead])
                await TellAsync(outsider, channel, victim with { Incarnation = incarnation, Health = Health.Suspect });
        }

        var (ring, calls) = (cluster["n1"].Services.GetRequiredService<RingDriver>(),
            cluster["n1"].Services.GetRequiredService<RingCalls>());
        Assert.True(await calls.AskAliveAsync(
            cluster.MembersSeenBy("n2").Self, ring.Now.Members.Own, Patience, CancellationToken.None));
        await Condition.UntilAsync("n2 is where and what it was", Patience, () => Task.FromResult(
            ring.Now.Members[victim.Peer.Node] is { Health: Health.Alive, Incarnation: < 1UL << 50 }));
        Assert.InRange(cluster.MembersSeenBy("n2").Own.Incarnation, victim.Incarnation, 1UL << 50);
        using (var channel = EvilNode.ChannelTo(outsider, cluster.AddressOf("n1")))
            await TellAsync(outsider, channel, victim with { Incarnation = FarAhead << 1 }); // Passed over.
        await cluster.StopAsync("n2");
        await cluster.StartAsync("n2");
        await cluster.SettleAsync();
    }

    /// <summary>docs/protocol.md#ring-hearsay</summary>
    [Fact]
    public async Task What_one_node_says_of_another_one_moves_none_of_its_tiles()
    {
        await using var cluster = await NodeCluster.StartAsync(4, new() { ["Steward:SplitPerNode"] = "0" });
        var outsider = cluster.Enrol("mallory");
        var victim = cluster.MembersSeenBy("n2").Own.Peer.Node;
        string[] others = ["n1", "n3", "n4"];
        var (before, since) = (Kept(), Environment.TickCount64);
        await Condition.UntilAsync("n2 keeps the same tiles for 3 s", Patience, () =>
        {
            if (!before.SequenceEqual(Kept()))
                (before, since) = (Kept(), Environment.TickCount64);
            return Task.FromResult(before.Length > 0 && Environment.TickCount64 - since > 3_000);
        });
        var channels = others.ToDictionary(name => name, name =>
            EvilNode.ChannelTo(outsider, cluster.AddressOf(name)));
        for (var i = 0; i < 120; i++)
        {
            foreach (var name in others)
                foreach (var health in (Health[])[Health.Suspect, (Health)(2 + (i % 3))])
                    await TellAsync(outsider, channels[name], cluster.MembersSeenBy(name)[victim]! with
                    {
                        Incarnation = cluster.MembersSeenBy(name)[victim]!.Incarnation + (i % 2 == 0 ? 1UL : 0UL),
                        Health = health,
                    });
            await Task.Delay(20);
        }

        foreach (var channel in channels.Values)
            channel.Dispose();
        Assert.Equal(before, Kept());
        await cluster.SettleAsync();

        TileConfiguration[] Kept() =>
        [
            .. cluster["n2"].Services.GetRequiredService<TileBoard>().All
                .Where(header => header.Phase is TilePhase.Active)
                .Select(header => header.Newest).OrderBy(kept => kept.Tile.ToString(), StringComparer.Ordinal),
        ];
    }

    /// <summary>Refuses a node without evidence, and waits until it has read that.</summary>
    private static async Task RefuseAsync(
        NodeIdentity outsider, RunningNode victim, ulong start, Func<Task> before)
    {
        await using var evil = await EvilNode.LinkAsync(outsider, victim);
        await before();
        await evil.SayAsync(new()
        {
            DurableSeq = 0,
            Refusal = new()
            {
                Seen = new() { Incarnation = start, BootNonce = 5, DurableSeq = 1_000_000 },
                Signed = new()
                {
                    Incarnation = start,
                    BootNonce = 5,
                    DurableSeq = 1_000_000,
                    Signature = Google.Protobuf.ByteString.CopyFrom(EvilNode.Bytes(64)),
                },
            },
        });
        await evil.HungUp.WaitAsync(Patience);
    }

    private static async Task TellAsync(
        NodeIdentity outsider, Grpc.Net.Client.GrpcChannel channel, params Member[] about) =>
        await new Wire.Ring.RingClient(channel).PingAsync(
            new()
            {
                From = new Member(outsider.Self.At("127.0.0.1:1"), 1, Health.Alive, 0).ToWire(),
                Gossip = { about.Select(member => member.ToWire()) },
            },
            deadline: DateTime.UtcNow + Patience);

    private static RegisterKey OwnKeyOf(NodeCluster cluster, string name) =>
        new($"ready/{cluster[name].Node.Self.Node}");

    private static TileConfiguration TileOf(NodeCluster cluster, string seenBy, RegisterKey key) =>
        cluster[seenBy].Services.GetRequiredService<TileDirectory>().At(key.Point);

    private static async Task WriteAsync(NodeCluster cluster, string at, RegisterKey key) =>
        Assert.IsType<ChangeOutcome.Stored>(await cluster.Registers(at).ChangeAsync(
            key, _ => Encoding.ASCII.GetBytes($"{at} {Guid.NewGuid()}"), CancellationToken.None));
}
