using System.Collections.Immutable;
using ChordChat.Core.Replication;
using Xunit;

namespace ChordChat.Tests.Unit.Replication;

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

    private SetScan Run(string lie)
    {
        _bench.Lie = (node, request) => node == Liar && request is ReplicaRequest.Scan scan ? Page(lie, scan) : null;
        var scan = new SetScan(_bench.Now, "m", CoordinatorOptions.Default with { ScanRowsMax = Rows }, 1)
        {
            Limits = new(CountMax: 100, BytesMax: 8 << 20),
        };
        _bench.Run(scan);
        return scan;
    }

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
