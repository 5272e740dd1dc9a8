using ChordChat.Core.Chat;
using ChordChat.Core.Ring;
using ChordChat.Node.Base;
using ChordChat.Node.Chat;
using ChordChat.Node.Links;
using Xunit;

namespace ChordChat.Tests.Unit.Chat;

public sealed class PresenceTableTests
{
    private static readonly Lease First = new("anna", 1, new NodeId(1, 1), 100);
    private static readonly Lease Second = new("anna", 2, new NodeId(2, 2), 200);
    private readonly PresenceTable _table = new();

    [Fact]
    public void A_lease_lasts_15_s_from_its_last_renewal()
    {
        _table.Renew(First, 0);
        _table.Renew(First, 5_000);

        Assert.Equal(First, _table.Find("anna", 19_999));
        Assert.Null(_table.Find("anna", 20_000));
    }

    [Fact]
    public void Leases_and_ends_of_people_whom_nobody_knows_take_only_so_much_room()
    {
        var small = new PresenceTable(10);
        for (var i = 0; i < 20; i++)
        {
            small.End(First with { User = $"gone{i}" }, 0);
            small.Renew(First with { User = $"here{i}" }, 0);
        }

        Assert.Equal(10, small.Count);
    }

    /// <summary>docs/operations.md, "Limits": one that lies takes no room of others, and what has run out none at
    /// all.</summary>
    [Fact]
    public void What_one_node_makes_up_keeps_out_nobody_elsewhere()
    {
        var table = new PresenceTable(userCountMax: 10, ofNodeMax: 6);
        for (var i = 0; i < 20; i++)
            table.Renew(First with { User = $"made-up{i}" }, 0);
        Assert.Equal(6, table.Count);
        table.Renew(Second with { User = "bob" }, 0);
        Assert.NotNull(table.Find("bob", 0));
        Assert.Null(table.Find("made-up9", 0));
        Assert.NotNull(table.Find("made-up1", 0));
        table.Renew(First with { User = "carol" }, 20_000); // The others have run out, and nobody has swept.
        Assert.NotNull(table.Find("carol", 20_000));
        for (var i = 0; i < 20; i++)
            table.Renew(First with { User = "carol", Node = new NodeId((ulong)i, 3), SinceMs = 200 + i }, 20_000);
        table.Sweep(60_000);
        Assert.Equal(0, table.Count);
    }

    [Fact]
    public void The_lower_session_number_loses_in_either_order()
    {
        _table.Renew(First, 0);
        Assert.Equal(Second, _table.Renew(Second, 1));
        Assert.Equal(Second, _table.Renew(First, 2));
        Assert.Equal(Second, _table.Find("anna", 3));
    }

    [Fact]
    public void Of_two_nodes_with_one_number_the_later_one_counts()
    {
        var elsewhere = First with { Node = Second.Node, SinceMs = 101 };
        _table.Renew(elsewhere, 0);
        Assert.Equal(elsewhere, _table.Renew(First, 1));
    }

    [Fact]
    public void An_ended_session_is_offline_at_once_and_older_ones_do_not_come_back()
    {
        _table.Renew(Second, 0);
        _table.End(First, 1);
        Assert.Equal(Second, _table.Find("anna", 2));

        _table.End(Second, 3);
        Assert.Null(_table.Find("anna", 4));
        Assert.Equal(Second, _table.Renew(First, 5));
        Assert.Null(_table.Find("anna", 6));
    }

    [Fact]
    public void After_an_end_the_next_session_is_online()
    {
        _table.Renew(First, 0);
        _table.End(First, 1);
        _table.Renew(Second, 2);
        Assert.Equal(Second, _table.Find("anna", 3));
    }

    /// <summary>docs/protocol.md#newer-session: a session's number grows by one at a time.</summary>
    [Fact]
    public void A_lease_whose_number_no_session_reaches_is_malformed()
    {
        Assert.Equal(1UL << 62, (First with { Session = 1UL << 62 }).ToWire().ToLease().Session);
        Assert.Throws<MalformedException>(() => (First with { Session = (1UL << 62) + 1 }).ToWire().ToLease());
    }

    [Fact]
    public void Sweeping_forgets_only_what_has_run_out()
    {
        _table.Renew(First, 0);
        _table.Renew(First with { User = "bob" }, 10_000);
        _table.Sweep(15_000);
        Assert.Null(_table.Find("anna", 15_000));
        Assert.NotNull(_table.Find("bob", 15_000));
    }
}
