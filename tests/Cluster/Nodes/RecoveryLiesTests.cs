using System.Text;
using System.Text.RegularExpressions;
using ChordChat.Core.Tiles;
using ChordChat.Node.Base;
using ChordChat.Node.Commands;
using ChordChat.Tests.Cluster.Admission;
using Xunit;

namespace ChordChat.Tests.Cluster.Nodes;

/// <summary>docs/protocol.md#generations, "Whose report it is": n1 keeps the tile with n2 and n3, whose disks are gone,
/// and n4 is another member, which lies.</summary>
public sealed partial class RecoveryLiesTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly TileId Tile = new(7, 0x5a);

    private readonly Founded _cluster = Founded.Of(5);
    private readonly List<TellingNode> _nodes = [];
    private readonly StringBuilder _output = new();
    private readonly TileConfiguration _now;
    private TellingNode _honest = null!;
    private TellingNode _liar = null!;

    public RecoveryLiesTests() => _now = new(Tile, 0, 1, [.. ((string[])["n1", "n2", "n3"]).Select(Id)]);

    public async Task InitializeAsync()
    {
        _honest = await StartAsync("n1");
        _liar = await StartAsync("n4", everywhere: true);
        _honest.Tells = () => _honest.Report(Active(_now), _now, _liar.Peer());
        _liar.Tells = () => _liar.Report(null, _now, _honest.Peer());
    }

    public async Task DisposeAsync()
    {
        foreach (var node in _nodes)
            await node.DisposeAsync();
        await _cluster.DisposeAsync();
    }

    [Fact]
    public async Task Without_lies_there_is_something_to_recover()
    {
        await RecoverAsync(null);
        Assert.Contains("n1 has 3 registers and 4 messages", _output.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("no report", _output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_node_says_as_another_one_is_no_report()
    {
        var dead = (await StartAsync("n4")).Peer();
        var second = _nodes[^1];
        second.Tells = () => _liar.Report(Active(_now), _now) with
        {
            Node = Id("n2").ToString(),
            Peers = [dead with { Node = Id("n2").ToString(), Name = "n2" }],
        };
        _liar.Tells = () => _liar.Report(null, _now, dead with { Node = Id("n2").ToString(), Name = "n2" });
        await RecoverAsync(null);
        Assert.Contains("n2: does not answer", _output.ToString(), StringComparison.Ordinal);

        // At its first address, too.
        _liar.Tells = second.Tells;
        await RecoverAsync(null);
        Assert.Contains($"n4 at {_liar.Address}: what it says of tile {Tile} is not a valid report", _output.ToString(),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_revoked_node_counts_for_nothing_and_gets_no_order()
    {
        var revoked = await StartAsync("n2");
        revoked.Tells = () => revoked.Report(Active(_now), _now);
        _honest.Tells = () => _honest.Report(Active(_now), _now, _liar.Peer(), revoked.Peer());
        using (var authority = _cluster.Cluster.OpenAuthority())
            _cluster.Cluster.Deny(authority, _cluster.Cluster.NodesToDeny("n2", DateTimeOffset.UtcNow));
        await RecoverAsync(null);
        Assert.Contains("n2: does not answer", _output.ToString(), StringComparison.Ordinal);
        await RecoverAsync(Code().Match(_output.ToString()).Groups["code"].Value);
        Assert.Equal(Id("n1"), Assert.Single(_honest.Ordered!.Survivors.Members));
        Assert.NotNull(_liar.Ordered);
        Assert.Equal(0, revoked.AskedCount);
    }

    [Theory]
    [InlineData("id")]
    [InlineData("alone")]
    [InlineData("peers")]
    [InlineData("peer")]
    [InlineData("header")]
    [InlineData("known")]
    [InlineData("tile")]
    [InlineData("epoch")]
    [InlineData("text")]
    [InlineData("null")]
    public async Task What_no_node_says_is_as_good_as_no_answer(string lie)
    {
        var report = _liar.Report(Active(_now), _now, _honest.Peer());
        var said = lie switch
        {
            "id" => report with { Node = "zz" },
            "alone" => report with { Peers = [_honest.Peer()] },
            "peers" => report with { Peers = null! },
            "peer" => report with { Peers = [.. report.Peers, null!] },
            "header" => report with { Header = [1, 2, 3] },
            "known" => report with { Known = null! },
            "tile" => _liar.Report(null, new(new(7, 1), 0, 9, [Id("n4")])),
            "epoch" => _liar.Report(null, _now with { Epoch = ulong.MaxValue }),
            _ => (object)(lie == "text" ? "{ \"Node\": " : "null"),
        };
        _liar.Tells = () => said;
        await RecoverAsync(null);
        Assert.Contains("n1 has 3 registers", _output.ToString(), StringComparison.Ordinal);
        Assert.Single(_output.ToString().Split('\n'), line => line.StartsWith(
            $"n4 at {_liar.Address}: what it says of tile {Tile} is not a valid report", StringComparison.Ordinal));
    }

    [Fact]
    public async Task One_node_that_knows_no_such_tile_is_passed_over_if_two_tell_of_it()
    {
        var other = await StartAsync("n5");
        other.Tells = () => other.Report(null, _now);
        _honest.Tells = () => _honest.Report(Active(_now), _now, _liar.Peer(), other.Peer());
        _liar.Tells = () => null;
        await RecoverAsync(null);
        Assert.Contains("n1 has 3 registers", _output.ToString(), StringComparison.Ordinal);
        Assert.Contains($"n4 at {_liar.Address}: it says", _output.ToString(), StringComparison.Ordinal);
        other.Tells = () => null;
        Assert.Contains("there is no tile", (await Assert.ThrowsAsync<StartRefusedException>(
            () => RecoverAsync(null))).Message, StringComparison.Ordinal);
    }

    /// <summary>Where it is the first that is asked.</summary>
    [Fact]
    public async Task What_tiles_there_are_is_not_up_to_one_node()
    {
        var (other, at) = (await StartAsync("n5"), _now with { Tile = new(7, 0) });
        _honest.Tells = () => _honest.Report(Active(at), at, _liar.Peer(), other.Peer());
        other.Tells = () => other.Report(null, at);
        _liar.Tells = () => _liar.Report(null, at, _honest.Peer());
        (_honest.Says["/tiles"], other.Says["/tiles"]) = ((string[])["00/7"], (string[])["00/7"]);
        _liar.Says["/tiles"] = (string[])["7f/7"];
        await RecoverAsync(null, tile: null);
        Assert.Contains("n4 does not list tile 00/7, as others do", _output.ToString(), StringComparison.Ordinal);
        Assert.Contains("Only n4 lists tile 7f/7", _output.ToString(), StringComparison.Ordinal);
        Assert.Contains("tile 00/7, generation 0, epoch 1", _output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Addresses_without_end_come_to_an_end()
    {
        var number = 0;
        _liar.Tells = () => _liar.Report(null, _now, [_honest.Peer(), .. Enumerable.Range(0, 3).Select(_ =>
        {
            var next = Interlocked.Increment(ref number);
            return _liar.Peer() with { Address = $"127.1.{next / 250 % 250}.{1 + (next % 250)}:{_liar.Port}" };
        })]);
        await RecoverAsync(null);
        Assert.Contains("n1 has 3 registers", _output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task So_many_addresses_are_asked_and_a_long_list_keeps_no_short_one_from_it()
    {
        var other = await StartAsync("n5");
        other.Tells = () => other.Report(null, _now);
        _honest.Tells = () => _honest.Report(Active(_now), _now, _liar.Peer(), other.Peer());
        _liar.Tells = () => _liar.Report(null, _now, [.. Enumerable.Range(1, 200).Select(
            i => _liar.Peer() with { Address = $"127.1.0.{i}:{_liar.Port}" })]);
        using var authority = _cluster.Cluster.OpenAuthority();
        using var contact = new OperatorContact(authority, denied: null, DateTimeOffset.UtcNow) { AddressesMax = 10 };
        for (var looks = 0; looks < 2; looks++)
        {
            await TileRecovery.LookAsync(
                _cluster.Cluster, contact, Tile, [_liar.Address, _honest.Address], isSure: false,
                CancellationToken.None);
            Assert.Equal(looks + 1, other.AskedCount);
            Assert.Equal(7 + looks + 1, _liar.AskedCount); // At the others once: it was met before.
        }
    }

    [Fact]
    public async Task Who_names_a_later_epoch_than_others_is_named_with_them()
    {
        var second = await StartAsync("n2");
        second.Tells = () => second.Report(Active(_now), _now);
        _honest.Tells = () => _honest.Report(Active(_now), _now, _liar.Peer(), second.Peer());
        var later = _now with { Epoch = 7, Members = [Id("n4")] };
        _liar.Tells = () => _liar.Report(Active(later), later);
        var refused = await Assert.ThrowsAsync<StartRefusedException>(() => RecoverAsync(null));
        Assert.Contains("nothing is recovered", refused.Message, StringComparison.Ordinal);
        Assert.Contains(
            $"n4 says that tile {Tile} has gone on to epoch 7, but n1 n2 still answer for epoch 1: one of them "
            + "lies, or the ring is changing.", _output.ToString(), StringComparison.Ordinal);
    }

    /// <summary>docs/protocol.md#contested: an order could drop the only true copy.</summary>
    [Fact]
    public async Task Nothing_is_recovered_while_one_liar_decides_what_is_believed()
    {
        var (second, third) = (await StartAsync("n2"), await StartAsync("n3"));
        second.Tells = () => second.Report(Active(_now), _now);
        third.Tells = () => third.Report(null, _now);
        _honest.Tells = () => _honest.Report(Active(_now), _now, _liar.Peer(), second.Peer(), third.Peer());
        var later = _now with { Epoch = 7, Members = [Id("n4"), Id("n5"), new(9, 9)] };
        _liar.Tells = () => _liar.Report(Active(later), later);
        var refused = await Assert.ThrowsAsync<StartRefusedException>(() => RecoverAsync(null));
        Assert.Contains("contradicts itself", refused.Message, StringComparison.Ordinal);
        Assert.Contains("Until then nothing is recovered there.", _output.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("What survives", _output.ToString(), StringComparison.Ordinal);
        third.Tells = () => third.Report(Active(_now), _now);
        refused = await Assert.ThrowsAsync<StartRefusedException>(() => RecoverAsync(null));
        Assert.Contains("nothing to recover", refused.Message, StringComparison.Ordinal);
    }

    /// <summary>All three disks are there, and an order would have them drop what they hold.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)] // It was begun and came to nobody.
    public async Task A_generation_that_one_node_names_makes_nothing_to_recover(bool isIssued)
    {
        foreach (var name in (string[])["n2", "n3"])
        {
            var other = await StartAsync(name);
            other.Tells = () => other.Report(Active(_now), _now);
        }

        _honest.Tells = () => _honest.Report(Active(_now), _now, [.. _nodes[1..].Select(node => node.Peer())]);
        _liar.Tells = () => _liar.Report(null, new(Tile, 1, 1, [Id("n4"), Id("n5"), new(9, 9)]));
        if (isIssued)
            _cluster.Cluster.Generations.TryIssue(Tile, 1);
        var refused = await Assert.ThrowsAsync<StartRefusedException>(() => RecoverAsync(null));
        Assert.Contains("nothing to recover", refused.Message, StringComparison.Ordinal);
        Assert.Contains("n4", _output.ToString().Split('\n')[0], StringComparison.Ordinal);
        Assert.Contains("generation 1", _output.ToString().Split('\n')[0], StringComparison.Ordinal);
    }

    /// <summary>docs/protocol.md#impossible-numbers: numbers only grow, and the order's have to be above.</summary>
    [Theory]
    [InlineData(0, 1UL << 62)]
    [InlineData(0, 1UL << 40)]
    [InlineData(1UL << 62, 1)]
    [InlineData(1, 2)]
    public async Task No_number_that_one_node_names_comes_into_an_order(ulong generation, ulong epoch)
    {
        _liar.Tells = () => _liar.Report(null, _now with { Generation = generation, Epoch = epoch }, _honest.Peer());
        await RecoverAsync(null);
        Assert.Contains($"n4 at {_liar.Address}: what it says of tile {Tile}", _output.ToString(),
            StringComparison.Ordinal);
        await RecoverAsync(Code().Match(_output.ToString()).Groups["code"].Value);
        Assert.Equal((1ul, 2ul), (_honest.Ordered!.Next.Generation, _honest.Ordered.Next.Epoch));
        Assert.Equal(Id("n1"), Assert.Single(_honest.Ordered.Survivors.Members));
    }

    /// <summary>n4 says that it keeps the tile with n5, which answers and has not heard of it.</summary>
    [Fact]
    public async Task One_node_alone_neither_hides_a_lost_tile_nor_decides_in_a_run_over_all()
    {
        var at = _now with { Tile = new(7, 0) };
        var later = at with { Epoch = 7, Members = [Id("n4"), Id("n5"), new(9, 9)] };
        var other = await StartAsync("n5");
        other.Tells = () => other.Report(null, at);
        _honest.Tells = () => _honest.Report(Active(at), at, _liar.Peer(), other.Peer());
        _liar.Tells = () => _liar.Report(Active(later), later, _honest.Peer());
        foreach (var node in _nodes)
            node.Says["/tiles"] = (string[])["00/7"];
        var refused = await Assert.ThrowsAsync<StartRefusedException>(() => RecoverAsync(null, tile: null));
        Assert.DoesNotContain("nothing to recover", refused.Message, StringComparison.Ordinal);
        Assert.Contains("Only n4 names epoch 7 of tile 00/7", _output.ToString(), StringComparison.Ordinal);
        await RecoverAsync(null, at.Tile); // Whoever believes it names the tile.
        Assert.Contains("What survives, of epoch 7: n4", _output.ToString(), StringComparison.Ordinal);
        using (var authority = _cluster.Cluster.OpenAuthority())
            _cluster.Cluster.Deny(authority, _cluster.Cluster.NodesToDeny("n4", DateTimeOffset.UtcNow));
        await RecoverAsync(null, tile: null, _honest.Address);
        Assert.Contains("What survives, of epoch 1: n1", _output.ToString(), StringComparison.Ordinal);
    }

    private static TileHeader Active(TileConfiguration at) => new(at, TilePhase.Active);

    private Core.Ring.NodeId Id(string name) => _cluster.Identity(name).Self.Node;

    private async Task<TellingNode> StartAsync(string name, bool everywhere = false)
    {
        _nodes.Add(await TellingNode.StartAsync(_cluster.Identity(name), everywhere));
        return _nodes[^1];
    }

    private Task RecoverAsync(string? code) => RecoverAsync(code, Tile);

    private async Task RecoverAsync(string? code, TileId? tile, params string[] nodes)
    {
        await using var output = new StringWriter(_output);
        await RecoverCommand.RunAsync(
            _cluster.Folder, nodes is [] ? [_liar.Address, _honest.Address] : nodes, tile, code, output,
            CancellationToken.None)
            .WaitAsync(Patience);
    }

    [GeneratedRegex("--accept-loss (?<code>[0-9a-f]{8})")]
    private static partial Regex Code();
}
