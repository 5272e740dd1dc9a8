using System.Collections.Immutable;
using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Sets;
using Xunit;

namespace ChordChat.Tests.Unit.Tiles;

/// <summary>docs/protocol.md#endless: a member of a tile lies about a mailbox to its reader.</summary>
public sealed class EndlessScanTests
{
    private const int Liar = 0; // Asked first.
    private const int Rows = 7;

    private readonly Bench _bench = new();
    private uint _made = 1_000_000;

    public static TheoryData<string> Lies =>
    [
        "endless", "endless and large", "one row at a time", "no rows", "too many rows", "too many bytes", "going back",
    ];

    [Theory]
    [MemberData(nameof(Lies))]
    public void A_mailbox_without_end_is_not_read_on(string lie)
    {
        for (var id = 1u; id <= 20; id++)
            for (var node = 1; node < 3; node++)
                Keep(node, id);
        var scan = Run(lie);
        Assert.IsType<SetScanOutcome.Complete>(scan.Outcome);
        Assert.Equal(Enumerable.Range(1, 20).Select(id => (uint)id), Shown().Where(id => id < 1_000_000).Order());
        Assert.InRange(_bench.Sent.Count, 1, 200);
        Assert.DoesNotContain(_bench.Sent, sent => sent.Request is ReplicaRequest.Add);
    }

    /// <summary>The other one is away, so there is nobody else to read.</summary>
    [Theory]
    [MemberData(nameof(Lies))]
    public void Without_a_majority_that_is_honest_it_is_unavailable(string lie)
    {
        _bench.Deaf.Add(1);
        Assert.IsType<SetScanOutcome.Unavailable>(Run(lie).Outcome);
        Assert.InRange(_bench.Sent.Count, 1, 600);
    }

    /// <summary>docs/protocol.md#no-empty-mail: they would fill the mailbox at the reader's own replica.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(SetLimits.ContentBytesMax + 1)]
    public void What_can_be_no_message_is_brought_to_nobody(int bytes)
    {
        for (var node = 1; node < 3; node++)
            Keep(node, 1);
        _bench.Lie = (node, request) => node == Liar && request is ReplicaRequest.Scan
            ? new ReplicaReply.Scanned([new(new MessageId(2), new byte[bytes])], 1, More: false)
            : null;
        var scan = new SetScan(_bench.Now, "m", CoordinatorOptions.Default, 1);
        _bench.Run(scan);
        Assert.IsType<SetScanOutcome.Complete>(scan.Outcome);
        Assert.Equal([1u], Shown());
        Assert.DoesNotContain(
            _bench.Sent, sent => sent.Request is ReplicaRequest.Add add && add.Id == new MessageId(2));
    }

    /// <summary>Long before it has shown as much as a mailbox may hold.</summary>
    [Fact]
    public void Whoever_shows_much_that_is_no_message_is_not_waited_for()
    {
        for (var node = 1; node < 3; node++)
            Keep(node, 1);
        _bench.Lie = (node, request) => node == Liar && request is ReplicaRequest.Scan scan
            ? new ReplicaReply.Scanned(
                [.. Enumerable.Range(0, Rows).Select(_ => Bench.Message(_made++, ""))], scan.After + Rows, More: true)
            : null;
        var scan = new SetScan(_bench.Now, "m", CoordinatorOptions.Default with { ScanRowsMax = Rows }, 1);
        _bench.Run(scan);
        Assert.IsType<SetScanOutcome.Complete>(scan.Outcome);
        Assert.Equal([1u], Shown());
        Assert.InRange(_made - 1_000_000, 1u, 2_048u + (2 * Rows));
    }

    /// <summary>One id, other bytes each time: none of them is kept beside the first.</summary>
    [Fact]
    public void Bytes_without_number_under_one_id_are_one_message()
    {
        for (var node = 1; node < 3; node++)
            Keep(node, 1);
        _bench.Lie = (node, request) => node == Liar && request is ReplicaRequest.Scan scan
            ? new ReplicaReply.Scanned(
                [.. Enumerable.Range(0, scan.RowsMax).Select(_ => Bench.Message(1, $"{++_made}"))], scan.After + 1,
                More: scan.After < 1_000)
            : null;
        var scan = new SetScan(_bench.Now, "m", CoordinatorOptions.Default with { ScanRowsMax = 10 }, 1);
        _bench.Run(scan);
        Assert.IsType<SetScanOutcome.Complete>(scan.Outcome);
        Assert.Equal([1u], Shown());
    }

    /// <summary>It breaks off, so it is read again from the beginning, and shows others.</summary>
    [Fact]
    public void What_a_member_has_shown_before_it_broke_off_counts()
    {
        _bench.Deaf.Add(1);
        _bench.Lie = (node, request) => node != Liar || request is not ReplicaRequest.Scan scan ? null
            : scan.After < 150 ? new ReplicaReply.Scanned(Made(Rows), scan.After + Rows, More: true)
            : new ReplicaReply.NoSuchRow();
        var scan = Scan();
        _bench.Run(scan);
        Assert.IsType<SetScanOutcome.Unavailable>(scan.Outcome);
        Assert.InRange(_made - 1_000_000, 1u, 2u * 100 + Rows);
    }

    /// <summary>New mail comes as fast as a slow client reads, so both members show more than a mailbox may hold.
    /// </summary>
    [Fact]
    public void What_a_majority_has_shown_does_not_count()
    {
        for (var id = 1u; id <= 500; id++)
            for (var node = 0; node < 2; node++)
                Keep(node, id);
        _bench.Deaf.Add(2);
        var scan = Scan();
        _bench.Run(scan);
        Assert.IsType<SetScanOutcome.Complete>(scan.Outcome);
        Assert.Equal(500, Shown().Count());
    }

    /// <summary>What is shown already costs no memory, but would never end.</summary>
    [Fact]
    public void The_same_messages_again_and_again_are_not_read_on()
    {
        _bench.Deaf.Add(1);
        for (var node = 0; node < 3; node++)
            for (var id = 1u; id <= Rows; id++)
                Keep(node, id);
        _bench.Lie = (node, request) => node == Liar && request is ReplicaRequest.Scan scan
            ? new ReplicaReply.Scanned(
                [.. Enumerable.Range(1, Rows).Select(id => Bench.Message((uint)id))], scan.After + Rows, More: true)
            : null;
        var scan = Scan();
        _bench.Run(scan);
        Assert.IsType<SetScanOutcome.Unavailable>(scan.Outcome);
        Assert.InRange(_bench.Sent.Count, 1, 600);
    }

    private SetScan Run(string lie)
    {
        _bench.Lie = (node, request) => node == Liar && request is ReplicaRequest.Scan scan ? Page(lie, scan) : null;
        var scan = Scan();
        _bench.Run(scan);
        return scan;
    }

    private SetScan Scan() => new(_bench.Now, "m", CoordinatorOptions.Default with { ScanRowsMax = Rows }, 1)
    {
        Limits = new(CountMax: 100, BytesMax: 8 << 20),
    };

    private ReplicaReply.Scanned Page(string lie, ReplicaRequest.Scan asked) => lie switch
    {
        "endless" => new(Made(Rows), asked.After + Rows, More: true),
        "endless and large" => new(Made(2, 1 << 19), asked.After + 2, More: true),
        "one row at a time" => new(Made(1), asked.After + 1, More: true),
        "no rows" => new([], asked.After + 1, More: true),
        "too many rows" => new(Made(Rows + 1), asked.After + Rows, More: false),
        "too many bytes" => new(Made(3, 1 << 19), asked.After + 3, More: false),
        _ => new(Made(Rows), asked.After, More: true),
    };

    private ImmutableArray<SetMessage> Made(int rows, int bytes = 10) =>
        [.. Enumerable.Range(0, rows).Select(_ => Bench.Message(_made++, new('x', bytes)))];

    private void Keep(int node, uint id)
    {
        var message = Bench.Message(id);
        Assert.IsType<ReplicaReply.Added>(_bench.Ask(
            node, new ReplicaRequest.Add(_bench.Now.At, "m", message.Id, message.Content, _bench.UnixMs)));
    }

    private IEnumerable<uint> Shown() => _bench.Effects.OfType<Effect.Deliver>()
        .SelectMany(deliver => deliver.Messages).Select(message => (uint)message.Id.Value);
}
