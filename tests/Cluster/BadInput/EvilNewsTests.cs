using System.Text;
using ChordChat.Core.Tiles;
using ChordChat.Node.Chat;
using ChordChat.Node.Links;
using ChordChat.Node.Tiles;
using ChordChat.Tests.Cluster.Nodes;
using ChordChat.Wire;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace ChordChat.Tests.Cluster.BadInput;

/// <summary>docs/protocol.md#one-voice-is-a-claim: a member that tells of a configuration which it made up moves
/// nobody and costs nobody a row.</summary>
public sealed class EvilNewsTests
{
    [Fact]
    public async Task News_that_a_member_made_up_move_no_node_and_drop_no_row()
    {
        await using var cluster = await NodeCluster.StartAsync(3, absent: 1);
        var key = FreeRows.Register("news");
        await WriteAsync(cluster, "n1", key);
        var set = SetKey.Mailbox("anna");
        foreach (var name in (string[])["n1", "n2"])
        {
            await using var evil = await EvilNode.LinkAsync(cluster.IdentityOf("n3"), cluster[name]);
            foreach (var point in (Core.Ring.RingId[])[key.Point, set.Point])
            {
                var tile = TileOf(cluster, name, point);
                TileConfiguration[] lies =
                [
                    tile.Next(tile.Members),
                    tile with { Epoch = tile.Epoch + 5 },
                    tile with { Epoch = tile.Epoch + 5, Members = [evil.Node, new(1, 1), new(2, 2)] },
                    tile with { Generation = 1, Epoch = tile.Epoch + 5 },
                ];
                foreach (var lie in lies)
                    Assert.Equal(tile, (await evil.AskAsync(new ReplicaRequest.NewConfiguration(lie, tile)))
                        .Standing?.Newest.ToCore());
                var half = tile with { Tile = tile.Tile.First, Splits = [tile.Epoch], Members = [evil.Node] };
                foreach (var part in (TileConfiguration[])[half, half with { Tile = tile.Tile.Second }, half with
                {
                    Tile = half.Tile.First,
                    Epoch = tile.Epoch + 1,
                    Splits = [tile.Epoch, tile.Epoch + 1],
                }])
                    Assert.Equal(
                        Answer.BodyOneofCase.Failed,
                        (await evil.AskAsync(new ReplicaRequest.NewConfiguration(part, null))).BodyCase);
                Assert.Equal(tile, TileOf(cluster, name, point));
                Assert.Equal(
                    (tile, TilePhase.Active),
                    cluster[name].Services.GetRequiredService<TileBoard>().Of(tile.Tile) is { } held
                        ? (held.Newest, held.Phase) : default);
            }
        }

        Assert.IsType<ReadOutcome.Agreed>(await cluster.Registers("n2").ReadAsync(key, CancellationToken.None));
        var kept = await cluster.Sets("n1").AddAsync(
            set, new("bob", DateTimeOffset.UtcNow.ToUnixTimeMilliseconds()), new MessageId(7), new byte[] { 1 }, null,
            CancellationToken.None);
        Assert.IsType<AddOutcome.Stored>(kept);
    }

    /// <summary>Its own replica believes what it made up; so it answers, tells and learns as if that were true.
    /// </summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_member_that_lives_in_a_configuration_of_its_own_takes_nobody_along(bool isAlone)
    {
        await using var cluster = await NodeCluster.StartAsync(3);
        var key = FreeRows.Register("news");
        await WriteAsync(cluster, "n1", key);
        var (tile, liar) = (TileOf(cluster, "n1", key.Point), cluster["n3"].Node.Self.Node);
        var lie = tile with { Epoch = tile.Epoch + 5, Members = isAlone ? [liar] : tile.Members };
        var lives = new TaskCompletionSource();
        Assert.True(cluster["n3"].Services.GetRequiredService<ReplicaWriter>().Submit(
            new ReplicaRequest.NewConfiguration(lie, isAlone ? null : lie with { Epoch = tile.Epoch + 4 }), liar,
            _ => lives.TrySetResult()));
        await lives.Task;

        foreach (var name in (string[])["n1", "n2", "n1", "n2"])
        {
            await WriteAsync(cluster, name, key);
            Assert.IsType<ReadOutcome.Agreed>(await cluster.Registers(name).ReadAsync(key, CancellationToken.None));
            Assert.Equal(tile, TileOf(cluster, name, key.Point));
            var held = cluster[name].Services.GetRequiredService<TileBoard>().Of(tile.Tile)!;
            Assert.Equal((tile, TilePhase.Active), (held.Newest, held.Phase));
        }
    }

    private static TileConfiguration TileOf(NodeCluster cluster, string seenBy, Core.Ring.RingId point) =>
        cluster[seenBy].Services.GetRequiredService<TileDirectory>().At(point);

    private static async Task WriteAsync(NodeCluster cluster, string at, RegisterKey key) =>
        Assert.IsType<ChangeOutcome.Stored>(await cluster.Registers(at).ChangeAsync(
            key, _ => Encoding.ASCII.GetBytes($"{at} {Guid.NewGuid()}"), CancellationToken.None));
}
