using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using ChordChat.Node.Tiles;
using Xunit;

namespace ChordChat.Tests.Unit.Chat;

/// <summary>docs/protocol.md#names-of-rows.</summary>
public class RowKindTests
{
    private static readonly string Node = new NodeId(1, 2).ToString();

    [Fact]
    public void Every_row_of_the_chat_has_a_kind()
    {
        RegisterKey[] registers =
        [
            RegisterKey.Account("a"), RegisterKey.Session("anna-1"), RegisterKey.Circle("a.b_c"),
            RegisterKey.Invitation("0123456789abcdef"), RegisterKey.KeyLog("anna", 0),
            RegisterKey.KeyLog("anna", 4_095), new($"ready/{Node}"),
        ];
        foreach (var key in registers)
            Assert.NotNull(RowKind.OfRegister(key.Name));
        Assert.NotNull(RowKind.OfSet(SetKey.Mailbox("anna").Name));
    }

    [Theory]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("acct")]
    [InlineData("acct/")]
    [InlineData("acct/Anna")]
    [InlineData("acct/anna/")]
    [InlineData("acct/anna/1")]
    [InlineData("accts/anna")]
    [InlineData("mbox/anna")]
    [InlineData("other/anna")]
    [InlineData("sess/")]
    [InlineData("circle/-anna")]
    [InlineData("keylog/anna")]
    [InlineData("keylog/anna/")]
    [InlineData("keylog/anna/01")]
    [InlineData("keylog/anna/-1")]
    [InlineData("keylog/anna/+1")]
    [InlineData("keylog/anna/4096")]
    [InlineData("keylog/anna/1/2")]
    [InlineData("keylog//1")]
    [InlineData("invite/0123456789abcde")]
    [InlineData("invite/0123456789abcdeF")]
    [InlineData("ready/n1")]
    [InlineData("acct/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    public void A_name_of_no_kind_is_that_of_no_register(string name) => Assert.Null(RowKind.OfRegister(name));

    [Theory]
    [InlineData("mbox")]
    [InlineData("mbox/")]
    [InlineData("mbox/Anna")]
    [InlineData("mbox/anna/1")]
    [InlineData("acct/anna")]
    [InlineData("notes/anna")]
    public void There_are_no_sets_but_mailboxes(string name) => Assert.Null(RowKind.OfSet(name));

    [Fact]
    public void A_row_is_named_after_its_key()
    {
        Assert.Equal("anna", RowKind.OfRegister("keylog/anna/12")!.KeyIn("keylog/anna/12"));
        Assert.Equal("anna", RowKind.OfSet("mbox/anna")!.KeyIn("mbox/anna"));
        Assert.Equal(Node, RowKind.OfRegister($"ready/{Node}")!.KeyIn($"ready/{Node}"));
    }

    [Fact]
    public void Who_writes_for_a_user_must_have_shown_that_it_may()
    {
        var at = new TileEpoch(new TileId(7, 0), 0, 1);
        var ballot = new Ballot(1, 1, new NodeId(1, 2), 1);
        foreach (var kind in (string[])["sess", "circle"])
            Assert.Equal(
                new SessionNeed("anna", SessionRight.Change),
                SessionNeed.Of(new ReplicaRequest.Prepare(at, $"{kind}/anna", ballot)));
        Assert.Equal(
            new SessionNeed("anna", SessionRight.Read), SessionNeed.Of(new ReplicaRequest.Scan(at, "mbox/anna", 0, 1)));
        Assert.Null(SessionNeed.Of(new ReplicaRequest.Prepare(at, "acct/anna", ballot)));
    }
}
