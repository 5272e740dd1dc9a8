using ChordChat.Tests.Checkers;
using Xunit;

namespace ChordChat.Tests.Unit.Checkers;

/// <summary>docs/protocol.md, Checkers: disks.</summary>
public class DisksTests
{
    private readonly Dictionary<string, MailDisk> _disks = new()
    {
        ["n1"] = Disk(("m1", false), ("m2", true)),
        ["n2"] = Disk(("m1", false)),
        ["n3"] = Disk(("m2", true), ("m3", false)),
        ["n4"] = Disk(("m3", false)),
    };

    [Fact]
    public void A_majority_of_the_members_has_every_kept_message_or_its_tombstone() =>
        Assert.Empty(Faults(["n1", "n2", "n3"], null, "m1", "m2"));

    [Fact]
    public void A_kept_message_on_one_disk_is_a_fault()
    {
        var fault = Assert.Single(Faults(["n1", "n2", "n3"], null, "m3"));
        Assert.Contains("m3 of bob lies on 1 disks of 3 (n1, n2, n3)", fault, StringComparison.Ordinal);
    }

    [Fact]
    public void Disks_of_others_do_not_count() => Assert.Single(Faults(["n2", "n3", "n4"], null, "m1"));

    [Fact]
    public void While_newcomers_learn_the_members_before_them_keep_it() =>
        Assert.Empty(Faults(["n3", "n4", "n5"], ["n1", "n2", "n3"], "m1"));

    [Fact]
    public void A_mailbox_that_nobody_keeps_is_a_fault() =>
        Assert.Single(Disks.Faults([("bob", "m1")], _disks, _ => null));

    [Fact]
    public void What_is_acknowledged_was_shown()
    {
        Assert.Empty(Swallowed(shown: true));
        var fault = Assert.Single(Swallowed(shown: false));
        Assert.Contains("m2 of bob is acknowledged", fault, StringComparison.Ordinal);
    }

    private IEnumerable<string> Swallowed(bool shown) =>
        Disks.Swallowed([("bob", "m1"), ("bob", "m2")], _disks, _ => shown);

    private IEnumerable<string> Faults(string[] members, string[]? before, params string[] kept) =>
        Disks.Faults(kept.Select(id => ("bob", id)), _disks, _ => new MailKeepers(members, before));

    private static MailDisk Disk(params (string Id, bool IsBuried)[] rows) =>
        new(rows.ToDictionary(row => ("bob", row.Id), row => row.IsBuried));
}
