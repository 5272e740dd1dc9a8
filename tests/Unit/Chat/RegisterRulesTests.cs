using ChordChat.Core.Chat;
using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using ChordChat.Crypto;
using ChordChat.Crypto.KeyLogs;
using ChordChat.Crypto.Keyrings;
using ChordChat.Crypto.Keys;
using ChordChat.Node.Chat;
using Xunit;
using static ChordChat.Tests.Unit.Crypto.TestUsers;

namespace ChordChat.Tests.Unit.Chat;

/// <summary>docs/protocol.md#value-rules: what the registers of the chat may hold, and what may follow.</summary>
public sealed class RegisterRulesTests
{
    private static readonly byte[] TicketKey = new byte[32];

    private static readonly RegisterRules Rules = new(new ChatIdentity
    {
        Self = new(default, default, "n1", ""),
        Cluster = Cluster,
        Authority = default,
        TicketKey = TicketKey,
    });

    private static readonly byte[][] Rings = [[1, 1], [2, 2], [3, 3], [4, 4]];

    private static readonly KeyLogEntry[] Log = MakeLog(AliceIdentity);
    private static readonly Account First = Of(Log, 0);
    private static readonly Account Second = Of(Log, 1);
    private static readonly Account Third = Of(Log, 2);

    /// <summary>Somebody else's, well-formed, under the same name.</summary>
    private static readonly KeyLogEntry[] OthersLog = MakeLog(BobIdentity);

    [Fact]
    public void An_account_begins_grows_and_catches_up()
    {
        Assert.Equal(ValueVerdict.Fits, Judge(null, First));
        Assert.Equal(ValueVerdict.Fits, Judge(null, Third)); // A copy that has missed everything.
        Assert.Equal(ValueVerdict.Fits, Judge(First, Second));
        Assert.Equal(ValueVerdict.Fits, Judge(First, Third));
        Assert.Equal(ValueVerdict.Fits, Judge(First, Second with { Pace = new(1, 5) }));
    }

    /// <summary>One reached only one copy, the other only another: some copy must give in.</summary>
    [Fact]
    public void Two_heads_that_the_owner_signed_on_top_of_one_may_follow_each_other()
    {
        var rival = On(Log[0], AliceIdentity);
        Assert.Equal(ValueVerdict.Fits, Judge(Second, rival));
        Assert.Equal(ValueVerdict.Fits, Judge(rival, Second));
        foreach (var forged in (Account[])[
            rival with { Credential = "$2b$10$mine" }, rival with { CreatedBy = 8 }, rival with { CreatedAtMs = 8 },
            rival with { PreviousKeyring = Rings[2] }, rival with { Pace = new(2, 1) },
            On(Log[0], BobIdentity), On(OthersLog[0], AliceIdentity)])
            Assert.Equal(ValueVerdict.DoesNotFollow, Judge(Second, forged));
        Assert.Equal(ValueVerdict.DoesNotFollow, Judge(Third, rival));
        Assert.Equal(ValueVerdict.DoesNotFollow, Judge(Second, Second with { Pace = new(1, 5) }));

        var again = KeyLogEntryBuilder.Create(Cluster, "alice", Now, AliceIdentity, Alice2, HashOf(0), Kdf);
        Assert.Equal(ValueVerdict.DoesNotFollow, Judge(First, Of([again], 0)));

        static Account On(KeyLogEntry previous, IdentityKey signer) => Of(
            [previous, KeyLogEntryBuilder.NewDevice(previous, Now, signer, Bob1, HashOf(1), Kdf)], 1);
    }

    [Fact]
    public void Nobody_replaces_an_account_or_takes_it_back()
    {
        Assert.Equal(ValueVerdict.DoesNotFollow, Judge(First, Of(OthersLog, 0)));
        Assert.Equal(ValueVerdict.DoesNotFollow, Judge(First, Of(OthersLog, 1)));
        Assert.Equal(ValueVerdict.DoesNotFollow, Judge(First, Of(OthersLog, 2)));
        Assert.Equal(ValueVerdict.DoesNotFollow, Judge(Second, First));
        Assert.Equal(ValueVerdict.DoesNotFollow, Judge(Third, First));
    }

    [Fact]
    public void Nothing_but_the_keys_of_an_account_changes()
    {
        foreach (var next in (Account[])[First, Second, Third])
            foreach (var forged in (Account[])[
                next with { Credential = "$2b$10$mine" }, next with { CreatedBy = 8 }, next with { CreatedAtMs = 8 }])
                Assert.Equal(ValueVerdict.DoesNotFollow, Judge(First, forged));
        Assert.Equal(ValueVerdict.DoesNotFollow, Judge(First, First with { PreviousKeyring = Rings[1] }));
        Assert.Equal(ValueVerdict.DoesNotFollow, Judge(First, First with { Pace = new(60, 1) }));
        Assert.Equal(ValueVerdict.DoesNotFollow, Judge(First, Second with { PreviousKeyring = Rings[2] }));
        Assert.Equal(ValueVerdict.DoesNotFollow, Judge(First, Second with { Pace = new(2, 1) }));
    }

    [Fact]
    public void What_is_no_account_of_this_name_stands_nowhere()
    {
        foreach (var own in (Account?[])[null, First])
            foreach (var bad in (Account[])[
                Second with { User = "anna" },
                Second with { Version = 7 },
                Second with { Keyring = Rings[3] },
                Second with { Head = Second.Head with { Number = 2 }, Version = 3 },
                Second with { Head = Second.Head with { Epoch = 9 } },
                Second with { Head = Second.Head with { Entry = Damaged(Log[1]) } },
                Second with { Head = Second.Head with { Entry = new byte[900] } },
                Second with { Credential = "" },
                Second with { Pace = new(61, 1) }])
                Assert.Equal(ValueVerdict.Malformed, Judge(own, bad));
        foreach (var rubbish in (ReadOnlyMemory<byte>[])[default, new byte[100], First.ToBytes()[1..]])
            Assert.Equal(ValueVerdict.Malformed, Judge("acct/alice", First.ToBytes(), rubbish));
        Assert.Equal(ValueVerdict.Malformed, Judge("acct/Alice", default, First.ToBytes()));
        Assert.Equal(ValueVerdict.Malformed, Judge("acct/alice/1", default, First.ToBytes()));
    }

    [Fact]
    public void An_entry_is_kept_once_in_its_place_and_under_the_identity_of_the_account()
    {
        ReadOnlyMemory<byte> entry = Log[1].Bytes, account = Second.ToBytes();
        Assert.Equal(ValueVerdict.Fits, Judge("keylog/alice/1", default, entry, account));
        Assert.Equal(ValueVerdict.Fits, Judge("keylog/alice/1", default, entry, Third.ToBytes()));
        Assert.Equal(ValueVerdict.Fits, Judge("keylog/alice/1", default, entry)); // The account is not at hand.
        Assert.Equal(ValueVerdict.DoesNotFollow, Judge("keylog/alice/1", default, OthersLog[1].Bytes, account));
        Assert.Equal(
            ValueVerdict.DoesNotFollow, Judge("keylog/alice/1", default, entry, default(ReadOnlyMemory<byte>)));
        Assert.Equal(ValueVerdict.DoesNotFollow, Judge("keylog/alice/1", OthersLog[1].Bytes, entry, account));
        foreach (var elsewhere in (string[])["keylog/alice/2", "keylog/alice/01", "keylog/bob/1", "keylog/alice"])
            Assert.Equal(ValueVerdict.Malformed, Judge(elsewhere, default, entry, account));
        Assert.Equal(ValueVerdict.Malformed, Judge("keylog/alice/1", default, Damaged(Log[1]), account));
        Assert.Equal("acct/alice", Rules.BesideOf("keylog/alice/1"));

        // A second entry that the owner has signed for this number, or one that comes later than the head.
        var rival = KeyLogEntryBuilder.NewDevice(Log[0], Now, AliceIdentity, Bob1, HashOf(1), Kdf);
        Assert.Equal(ValueVerdict.DoesNotFollow, Judge("keylog/alice/1", default, rival.Bytes, Second.ToBytes()));
        Assert.Equal(ValueVerdict.DoesNotFollow, Judge("keylog/alice/1", default, entry, First.ToBytes()));
    }

    [Fact]
    public void The_numbers_of_sessions_only_grow_and_no_further_than_the_keys()
    {
        var own = new SessionRecord(5, new NodeId(1, 2), 2, 7, 9, IsOpen: true);
        Assert.Equal(ValueVerdict.Fits, Session(null, own));
        Assert.Equal(ValueVerdict.Fits, Session(own, own with { Number = 6, Node = new NodeId(3, 4) }));
        Assert.Equal(ValueVerdict.Fits, Session(own, own with { Number = 60, Epoch = 3 }));
        Assert.Equal(ValueVerdict.Fits, Session(own, own with { IsOpen = false }));
        Assert.Equal(ValueVerdict.Fits, Judge("sess/alice", default, own.ToBytes()));
        foreach (var bad in (SessionRecord[])[
            own with { Number = 4 }, own with { Number = 6, Epoch = 1 }, own with { Node = new NodeId(3, 4) },
            own with { Number = 6, Epoch = 4 }, own with { Number = SessionRecord.NumberMax }])
            Assert.Equal(ValueVerdict.DoesNotFollow, Session(own, bad));
        Assert.Equal(ValueVerdict.Malformed, Session(own, own with { Number = SessionRecord.NumberMax + 1 }));
        Assert.Equal(ValueVerdict.DoesNotFollow, Session(own with { IsOpen = false }, own));
        Assert.Equal(
            ValueVerdict.DoesNotFollow, Judge("sess/alice", default, own.ToBytes(), default(ReadOnlyMemory<byte>)));
        Assert.Equal(ValueVerdict.Malformed, Judge("sess/alice", default, own.ToBytes()[1..]));
        Assert.Equal("acct/alice", Rules.BesideOf("sess/alice"));

        static ValueVerdict Session(SessionRecord? own, SessionRecord next) =>
            Judge("sess/alice", own?.ToBytes() ?? default, next.ToBytes(), Third.ToBytes());
    }

    [Fact]
    public void An_invitation_is_used_once_and_only_one_that_there_is()
    {
        var code = InvitationCode.New(TicketKey, DateTimeOffset.UnixEpoch);
        var (key, use) = ($"invite/{code.Id}", new InvitationUse(code.Bytes, "alice"));
        Assert.Equal(ValueVerdict.Fits, Judge(key, default, use.ToBytes()));
        Assert.Equal(ValueVerdict.DoesNotFollow, Judge(key, use.ToBytes(), (use with { User = "bob" }).ToBytes()));
        Assert.Equal(ValueVerdict.Malformed, Judge("invite/0011223344556677", default, use.ToBytes()));
        var made = InvitationCode.New("the key of another cluster, of 32"u8[..32], DateTimeOffset.UnixEpoch);
        Assert.Equal(
            ValueVerdict.Malformed,
            Judge($"invite/{made.Id}", default, new InvitationUse(made.Bytes, "alice").ToBytes()));
        Assert.Equal(ValueVerdict.Malformed, Judge(key, default, (use with { User = "Alice!" }).ToBytes()));
    }

    [Fact]
    public void Circles_are_read_and_a_node_proves_itself_with_short_text()
    {
        var circle = new Circle(["bob"], ["carl"]);
        Assert.Equal(ValueVerdict.Fits, Judge("circle/alice", circle.ToBytes(), Circle.Empty.ToBytes()));
        Assert.Equal(ValueVerdict.Malformed, Judge("circle/alice", circle.ToBytes(), new byte[9]));
        Assert.Equal(ValueVerdict.Malformed, Judge("circle/Alice", default, circle.ToBytes()));
        var ready = $"ready/{new NodeId(1, 2)}";
        Assert.Equal(ValueVerdict.Fits, Judge(ready, default, "2026-01-01T00:00:00.0000000+00:00"u8.ToArray()));
        Assert.Equal(ValueVerdict.Malformed, Judge(ready, default, new byte[300]));
        Assert.Equal(ValueVerdict.Malformed, Judge(ready, default, "\u001b[2J"u8.ToArray()));
        Assert.Equal(ValueVerdict.Malformed, Judge("ready/n1", default, "now"u8.ToArray()));
    }

    [Theory]
    [InlineData("mbox/alice")]
    [InlineData("k")]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("profile/alice")]
    public void A_kind_without_a_rule_holds_nothing(string key) =>
        Assert.Equal(ValueVerdict.Malformed, Judge(key, default, First.ToBytes()));

    private static ValueVerdict Judge(Account? own, Account next) =>
        Judge("acct/alice", own?.ToBytes() ?? default, next.ToBytes());

    private static ValueVerdict Judge(
        string key, ReadOnlyMemory<byte> own, ReadOnlyMemory<byte> next, ReadOnlyMemory<byte>? beside = null) =>
        Rules.Judge(key, own, next, beside);

    private static Account Of(KeyLogEntry[] log, int number) => new(
        "alice", 7, "$2b$12$credential", (ulong)number + 1,
        new KeyLogHead((ulong)number, (uint)number + 1, log[number].Bytes), Rings[number],
        number == 0 ? default(ReadOnlyMemory<byte>) : Rings[number - 1], 1_700_000_000_000);

    private static KeyLogEntry[] MakeLog(IdentityKey identity)
    {
        var first = KeyLogEntryBuilder.Create(Cluster, "alice", Now, identity, Alice1, HashOf(0), Kdf);
        var second = KeyLogEntryBuilder.NewDevice(first, Now, identity, Alice2, HashOf(1), Kdf);
        return [first, second, KeyLogEntryBuilder.NewDevice(second, Now, identity, Bob1, HashOf(2), Kdf)];
    }

    private static Digest HashOf(int ring) => KeyringBlob.HashOf(Rings[ring]);

    /// <summary>Its signature is another one.</summary>
    private static byte[] Damaged(KeyLogEntry entry)
    {
        var bytes = entry.Bytes.ToArray();
        bytes[^10] ^= 1;
        return bytes;
    }
}
