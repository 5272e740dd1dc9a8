using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using ChordChat.Node.Identity;
using ChordChat.Tests.Unit.Base;
using Xunit;

namespace ChordChat.Tests.Unit.Identity;

/// <summary>docs/protocol.md#generations: the order and who may give it.</summary>
public sealed class RecoveryOrderTests : IDisposable
{
    private const string Cluster = "000102030405060708090a0b0c0d0e0f";
    private static readonly TileId Tile = new(7, 0x5a);
    private readonly TemporaryFolder _folder = new();
    private readonly ClusterAuthority _authority = Authority();

    public void Dispose()
    {
        _authority.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Only_what_this_authority_signed_for_this_cluster_is_an_order()
    {
        var order = Order(generation: 1);
        var signed = order.Sign(_authority);
        var trust = new ClusterTrust(_authority.Certificate);
        var read = RecoveryOrder.Read(signed, Cluster, trust)!;
        Assert.Equal((order.Next, order.Survivors), (read.Next, read.Survivors));
        Assert.Equal(RecoveryOrder.CodeOf([order]), RecoveryOrder.CodeOf([read]));
        Assert.NotEqual(RecoveryOrder.CodeOf([order]), RecoveryOrder.CodeOf([Order(generation: 2)]));

        using var other = Authority();
        Assert.Null(RecoveryOrder.Read(signed, Cluster, new ClusterTrust(other.Certificate)));
        Assert.Null(RecoveryOrder.Read(signed, new string('f', 32), trust));
        Assert.Null(RecoveryOrder.Read(Order(generation: 0).Sign(_authority), Cluster, trust));
        for (var i = 0; i < signed.Length; i++)
        {
            var changed = signed.ToArray();
            changed[i] ^= 1;
            Assert.Null(RecoveryOrder.Read(changed, Cluster, trust));
            Assert.Null(RecoveryOrder.Read(signed.AsSpan(0, i), Cluster, trust));
        }
    }

    /// <summary>Numbers only grow, and beyond 2^62 nobody takes them: a tile would be stopped for good.</summary>
    [Theory]
    [InlineData(1UL << 62, 4UL)]
    [InlineData(1UL, 1UL << 62)]
    [InlineData(1UL, ulong.MaxValue)]
    public void An_order_near_the_end_of_its_numbers_is_none(ulong generation, ulong epoch)
    {
        var order = Order(1) with { Next = Order(generation).Next with { Epoch = epoch } };
        Assert.Null(RecoveryOrder.Read(order.Sign(_authority), Cluster, new ClusterTrust(_authority.Certificate)));
    }

    [Fact]
    public void No_generation_of_a_tile_is_issued_twice()
    {
        var file = new GenerationFile(_folder["generations"]);
        Assert.Equal(0ul, file.Highest(Tile));
        Assert.True(file.TryIssue(Tile, 2));
        Assert.False(file.TryIssue(Tile, 2));
        Assert.False(file.TryIssue(Tile, 1));
        Assert.True(file.TryIssue(new TileId(7, 1), 1));
        Assert.Equal(2ul, new GenerationFile(_folder["generations"]).Highest(Tile));
        Assert.Equal(2ul, file.Highest(Tile.First.Second)); // A part of it goes on with what the tile was given.
        Assert.Equal(0ul, file.Highest(Tile.Wider));
    }

    private static RecoveryOrder Order(ulong generation)
    {
        var node = new NodeId(1, 2);
        return new(Cluster, new(Tile, generation, 4, [node]), new(Tile, 0, 3, []));
    }

    private static ClusterAuthority Authority() =>
        ClusterAuthority.Create(Convert.FromHexString(Cluster), DateTimeOffset.UtcNow);
}
