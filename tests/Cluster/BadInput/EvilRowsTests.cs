using ChordChat.Core.Chat;
using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using ChordChat.Node.Identity;
using ChordChat.Node.Storage;
using ChordChat.Node.Tiles;
using ChordChat.Tests.Cluster.Nodes;
using ChordChat.Wire;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace ChordChat.Tests.Cluster.BadInput;

/// <summary>docs/protocol.md#names-of-rows: what a node with a genuine certificate cannot make grow at the others.
/// </summary>
public sealed class EvilRowsTests
{
    private static readonly MessageId Id = new(7);

    public static TheoryData<bool> Callers => new(true, false);

    [Theory]
    [MemberData(nameof(Callers))]
    public async Task There_is_no_row_of_a_kind_or_a_name_that_nobody_honest_writes(bool isMember)
    {
        await using var cluster = await NodeCluster.StartAsync(3, absent: 1);
        await using var evil = await EvilNode.LinkAsync(Evil(cluster, isMember), cluster["n1"]);
        var before = await CountRowsAsync(cluster, "n1");
        string[] registers =
        [
            "anna", "acct", "acct/", "acct/Anna", "acct/anna/0", "other/anna", "mbox/anna", "sess/anna/1", "circle/a b",
            "keylog/anna", "keylog/anna/", "keylog/anna/x", "keylog/anna/00", "keylog/anna/4096", "keylog/anna/1/2",
            "invite/", "invite/0011", "invite/001122334455667G", "ready/n1", $"acct/{new string('a', 33)}",
            $"ready/{new NodeId(1, 2)}0",
        ];
        foreach (var key in registers)
        {
            var at = TileOf(cluster, new RegisterKey(key).Point).At;
            var ballot = evil.Ballot(at.Epoch, 9);
            await RefusedAsync(
                evil, new ReplicaRequest.Prepare(at, key, ballot), new ReplicaRequest.Peek(at, key),
                new ReplicaRequest.Accept(at, key, ballot, EvilNode.Bytes(9)));
        }

        string[] sets =
        [
            "anna", "mbox", "mbox/", "mbox/Anna", "mbox/anna/1", "notes/anna", "acct/anna",
            $"mbox/{new string('a', 33)}",
        ];
        foreach (var set in sets)
        {
            var at = TileOf(cluster, new SetKey(set).Point).At;
            await RefusedAsync(
                evil, new ReplicaRequest.Add(at, set, Id, EvilNode.Bytes(9)),
                new ReplicaRequest.Acknowledge(at, set, [Id]), new ReplicaRequest.Scan(at, set, 0, 9),
                new ReplicaRequest.GetAges(at, set, [Id]), new ReplicaRequest.Forget(at, set, [Id]));
        }

        Assert.Equal(before, await CountRowsAsync(cluster, "n1"));
    }

    /// <summary>Nor does a refused write.</summary>
    [Theory]
    [MemberData(nameof(Callers))]
    public async Task Looking_at_what_is_not_there_makes_no_row(bool isMember)
    {
        await using var cluster = await NodeCluster.StartAsync(3, absent: 1);
        await using var evil = await EvilNode.LinkAsync(Evil(cluster, isMember), cluster["n1"]);
        var before = await CountRowsAsync(cluster, "n1");
        for (var i = 0; i < 20; i++)
        {
            var (key, set) = (RegisterKey.Account($"nobody{i}"), SetKey.Mailbox($"nobody{i}"));
            var at = TileOf(cluster, set.Point).At;
            await evil.AskAsync(new ReplicaRequest.Peek(TileOf(cluster, key.Point).At, key.Name));
            await evil.AskAsync(new ReplicaRequest.Scan(at, set.Name, 0, 9));
            await evil.AskAsync(new ReplicaRequest.GetAges(at, set.Name, [Id]));
            await evil.AskAsync(new ReplicaRequest.Forget(at, set.Name, [Id]));
            var late = await evil.AskAsync(new ReplicaRequest.Add(at, set.Name, Id, EvilNode.Bytes(9), SentMs: 0));
            Assert.Equal(isMember ? Answer.BodyOneofCase.TooLate : Answer.BodyOneofCase.Unproven, late.BodyCase);
        }

        Assert.Equal(before, await CountRowsAsync(cluster, "n1"));
    }

    /// <summary>docs/protocol.md#no-empty-mail.</summary>
    [Fact]
    public async Task There_is_no_mail_without_bytes_or_larger_than_any()
    {
        await using var cluster = await NodeCluster.StartAsync(3, absent: 1);
        await using var evil = await EvilNode.LinkAsync(Evil(cluster, isMember: true), cluster["n1"]);
        var set = SetKey.Mailbox("anna");
        var at = TileOf(cluster, set.Point).At;
        foreach (var bytes in (int[])[0, ChatLimits.EnvelopeBytesMax + 1])
        {
            var answer = await evil.AskAsync(new ReplicaRequest.Add(at, set.Name, Id, new byte[bytes]));
            Assert.Equal(Answer.BodyOneofCase.Full, answer.BodyCase); // So that an honest reader goes on.
        }

        var most = new ReplicaRequest.Add(at, set.Name, Id, new byte[ChatLimits.EnvelopeBytesMax]);
        Assert.Equal(Answer.BodyOneofCase.Added, (await evil.AskAsync(most)).BodyCase);
    }

    [Theory]
    [MemberData(nameof(Callers))]
    public async Task Where_a_node_proves_that_it_can_write_nobody_else_writes(bool isMember)
    {
        await using var cluster = await NodeCluster.StartAsync(3, absent: 1);
        await using var evil = await EvilNode.LinkAsync(Evil(cluster, isMember), cluster["n1"]);
        foreach (var node in (NodeId[])[cluster["n2"].Node.Self.Node, new(1, 2), evil.Node])
        {
            var key = new RegisterKey($"ready/{node}");
            var at = TileOf(cluster, key.Point).At;
            var answer = await evil.AskAsync(new ReplicaRequest.Prepare(at, key.Name, evil.Ballot(at.Epoch, 9_000)));
            Assert.Equal(
                node == evil.Node ? Answer.BodyOneofCase.Promised : Answer.BodyOneofCase.Failed, answer.BodyCase);
        }
    }

    /// <summary>docs/operations.md#limits. It is refused, and nobody else is.</summary>
    [Theory]
    [MemberData(nameof(Callers))]
    public async Task One_node_asks_for_so_many_promises_and_no_more(bool isMember)
    {
        const int Max = 1_000, Wishes = 3_000;
        await using var cluster = await NodeCluster.StartAsync(
            3, new() { ["Peers:PromisesMax"] = $"{Max}" }, absent: 1);
        await using var evil = await EvilNode.LinkAsync(Evil(cluster, isMember), cluster["n1"]);
        var answers = await Task.WhenAll(Enumerable.Range(0, Wishes).Select(i => RegisterKey.Account($"name{i}"))
            .Select(key => (key, TileOf(cluster, key.Point).At)).Select(row => evil.AskAsync(
                new ReplicaRequest.Prepare(row.At, row.key.Name, evil.Ballot(row.At.Epoch, 9)))));
        // A few run off while it asks.
        Assert.InRange(answers.Count(answer => answer.Promised is not null), Max, Max + 100);

        var honest = RegisterKey.Account("name2999");
        Assert.IsType<ChangeOutcome.Declined>(
            await cluster.Registers("n2").ChangeAsync(honest, _ => null, CancellationToken.None));
    }

    private static NodeIdentity Evil(NodeCluster cluster, bool isMember) =>
        isMember ? cluster.IdentityOf("n3") : cluster.Enrol("mallory");

    private static async Task RefusedAsync(EvilNode evil, params ReplicaRequest[] wishes)
    {
        foreach (var wish in wishes)
        {
            var answer = await evil.AskAsync(wish);
            Assert.True(answer.Failed is not null, $"{wish} got {answer}");
        }
    }

    /// <summary>Registers and sets on a node's disk.</summary>
    private static Task<long> CountRowsAsync(NodeCluster cluster, string name)
    {
        var database = cluster[name].Services.GetRequiredService<NodeDatabase>();
        return cluster[name].Services.GetRequiredService<ReplicaWriter>().AskAsync(_ =>
        {
            using var count = database.Connection.CreateCommand();
            count.CommandText = "SELECT (SELECT COUNT(*) FROM registers) + (SELECT COUNT(*) FROM sets)";
            return (long)count.ExecuteScalar()!;
        });
    }

    private static TileConfiguration TileOf(NodeCluster cluster, RingId point) =>
        cluster["n1"].Services.GetRequiredService<TileDirectory>().At(point);
}
