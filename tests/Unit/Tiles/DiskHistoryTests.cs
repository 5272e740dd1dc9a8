using ChordChat.Core.Ring;
using ChordChat.Core.Tiles.Disks;
using Xunit;

namespace ChordChat.Tests.Unit.Tiles;

/// <summary>docs/protocol.md#copied-and-restored-disks.</summary>
public class DiskHistoryTests
{
    private static readonly NodeId Node = new(7, 0);

    /// <summary>Three starts; the second found 10 commits, the third 20; now there are 30.</summary>
    private static readonly DiskHistory Whole = History(30, (1, 0), (2, 10), (3, 20));

    [Fact]
    public void A_disk_that_nobody_has_seen_is_whole() => Assert.Equal(DiskVerdict.Whole, Whole.JudgedBy(null));

    [Theory]
    [InlineData(1, 10)]
    [InlineData(2, 20)]
    [InlineData(3, 30)]
    public void A_disk_that_has_all_that_was_seen_of_it_is_whole(ulong start, ulong commits) =>
        Assert.Equal(DiskVerdict.Whole, Whole.JudgedBy(Seen(start, commits)));

    [Theory]
    [InlineData(1, 11)] // The start after it found less than was seen before it.
    [InlineData(2, 21)]
    [InlineData(3, 31)]
    [InlineData(4, 1)] // A start that this disk knows nothing of.
    public void A_disk_that_lacks_something_that_was_seen_of_it_is_rolled_back(ulong start, ulong commits) =>
        Assert.Equal(DiskVerdict.RolledBack, Whole.JudgedBy(Seen(start, commits)));

    [Fact]
    public void A_start_with_the_same_number_and_another_nonce_is_a_copys() =>
        Assert.Equal(DiskVerdict.Copied, Whole.JudgedBy(Seen(3, 1) with { BootNonce = 1 }));

    [Fact]
    public void What_was_seen_before_the_oldest_start_that_is_remembered_is_compared_with_what_that_one_found()
    {
        var history = History(300, (100, 200), (101, 250));
        Assert.Equal(DiskVerdict.Whole, history.JudgedBy(Seen(5, 200)));
        Assert.Equal(DiskVerdict.RolledBack, history.JudgedBy(Seen(5, 201)));
    }

    [Fact]
    public void Counts_of_one_start_that_overtake_each_other_are_no_sign_of_anything()
    {
        var witness = new DiskWitness();
        Assert.Equal(DiskVerdict.Whole, witness.Admit(Node, Whole));
        witness.Saw(Node, Whole.Sighting with { DurableSeq = 35 });
        Assert.Equal(DiskVerdict.Whole, witness.Judge(Node, Whole));
        Assert.Equal(DiskVerdict.Whole, witness.Admit(Node, Whole));
        Assert.Equal(35ul, witness.Of(Node)!.Value.DurableSeq);
    }

    [Fact]
    public void The_next_start_of_the_same_disk_takes_over_and_the_one_before_may_not_speak_any_more()
    {
        var witness = new DiskWitness();
        witness.Admit(Node, Whole);
        var next = History(31, (1, 0), (2, 10), (3, 20), (4, 30));
        Assert.Equal(DiskVerdict.Whole, witness.Admit(Node, next));
        Assert.Equal(DiskVerdict.RolledBack, witness.Judge(Node, Whole));
        Assert.False(witness.Serves(Node, Whole.Sighting));
    }

    [Fact]
    public void Who_was_only_judged_or_refused_changes_nothing_that_is_remembered()
    {
        var witness = new DiskWitness();
        witness.Admit(Node, Whole);
        witness.Judge(Node, History(31, (4, 30)));
        witness.Admit(Node, History(25, (1, 0), (2, 10), (3, 20), (4, 25)));
        witness.Saw(Node, new(4, 44, 99));
        witness.Saw(Node, Whole.Sighting with { BootNonce = 1, DurableSeq = 99 });
        Assert.Equal(Whole.Sighting, witness.Of(Node));
    }

    [Fact]
    public void Of_two_processes_with_one_identity_exactly_one_gives_way()
    {
        var copy = History(28, (1, 0), (2, 10), (3, 20), (4, 28));
        var twin = Whole with { Runs = Whole.Runs.SetItem(2, new(3, 1, 20)) };
        var later = History(30, (1, 0), (2, 10), (3, 20), (4, 30));
        Assert.True(copy.GivesWayTo(Whole) && !Whole.GivesWayTo(copy));
        Assert.True(Whole.GivesWayTo(later) && !later.GivesWayTo(Whole));
        Assert.NotEqual(twin.GivesWayTo(Whole), Whole.GivesWayTo(twin));
    }

    private static DiskHistory History(ulong commits, params (ulong Start, ulong Found)[] runs) =>
        new([.. runs.Select(run => new DiskRun(run.Start, run.Start * 11, run.Found))], commits);

    private static DiskSighting Seen(ulong start, ulong commits) => new(start, start * 11, commits);
}
