using ChordChat.Client.Conversation;
using ChordChat.Client.Scripting;
using ChordChat.Core.Ring;
using ChordChat.Crypto;
using ChordChat.Crypto.KeyLogs;
using ChordChat.Crypto.Keys;
using ChordChat.Crypto.Messages;
using ChordChat.Crypto.Passwords;
using ChordChat.Sdk;
using ChordChat.Sdk.Keys;
using ChordChat.Sdk.Messages;
using ChordChat.Sdk.Nodes;
using ChordChat.Sdk.Profiles;
using ChordChat.Sdk.Sessions;
using ChordChat.Sdk.Storage;
using ChordChat.Tests.Unit.Sdk;
using ChordChat.Wire;
using Google.Protobuf;
using Xunit;
using static ChordChat.Tests.Unit.Crypto.TestUsers;

namespace ChordChat.Tests.Unit.Fuzz;

/// <summary>docs/e2e.md, Conventions: genuine messages with hostile fields, from the envelope to the printed line, with
/// restarts in between.</summary>
public sealed class HostileMessageTests : IDisposable
{
    private const string Password = "five random words suffice";

    private static readonly ulong[] Strange =
    [
        0, 1, 2, 3, int.MaxValue, 1UL << 31, uint.MaxValue, (1UL << 44) - 1, 1UL << 44, 1UL << 53, 253_402_300_800_000,
        long.MaxValue - 1, long.MaxValue, 1UL << 63, ulong.MaxValue,
    ];

    private static readonly string[] Texts =
        ["x", "\u001b[2J\u001b]0;owned\u0007", "a\nb\r\u0085c\u2028d", "\u202egnp.exe", "\0", "\U0001F1E9\U0001F1EA"];

    private readonly string _folder = Path.Combine(Path.GetTempPath(), "chordchat-tests", Guid.NewGuid().ToString("n"));

    public void Dispose()
    {
        if (Directory.Exists(_folder))
            Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void Whatever_a_peer_signs_the_list_goes_on_and_the_profile_opens_again()
    {
        MakeProfile();
        var random = new Prng(20_261_128);
        for (var start = 0; start < 3; start++)
        {
            using (var profile = Profile.Open(_folder))
            using (var me = profile.Unlock(Password))
            {
                var inbox = InboxOf(me);
                for (var round = 0; round < 80; round++)
                {
                    Take(inbox, me, Make(random, round));
                    if (round % 16 == 0)
                        inbox.GiveUpGaps(inbox.Gaps().ToHashSet());
                    PrintAll(me, "alice");
                }

                Take(inbox, me, Hello($"the end {start}") with { Seq = 5_000_000 + (ulong)start });
                GiveUpAllGaps(inbox);
            }

            using var again = Profile.Open(_folder);
            using var reopened = again.Unlock(Password);
            var all = PrintAll(reopened, "alice");
            Assert.True(all.Exists(line => line.Contains($"the end {start}")), string.Join('\n', all));
        }
    }

    [Fact]
    public void A_profile_that_holds_rows_beyond_all_bounds_opens_and_shows_the_others()
    {
        MakeProfile();
        using var profile = Profile.Open(_folder);
        using var me = profile.Unlock(Password);
        foreach (var (value, i) in Strange.Select((value, i) => (unchecked((long)value), i)))
            me.Store.Write(db =>
            {
                var (id, body) = ($"{i:x32}", new byte[32]);
                db.Execute(
                    """
                    INSERT INTO messages (id, peer, mine, epoch, seq, sent_ms, state, rank, unread, owed, text,
                        to_epoch, heard, missing, copies_of, place)
                    VALUES ($1, 'alice', 0, 1, $2, $2, $2, $3, 1, 0, $4, 1, $2, $2, $2, $2)
                    """,
                    id, value, i % 2 == 0 ? (double?)i : null, me.Key.Seal(id, "old"u8));
                db.Execute("INSERT INTO heard VALUES ($1, 'alice', 1, $2, $3, 0, NULL)", id, value, body);
                db.Execute(
                    """
                    INSERT OR REPLACE INTO chains (peer, mine, epoch, seq, body) VALUES ('alice', 0, 1, $1, $2)
                    """,
                    value, body);
                db.Execute(
                    """
                    INSERT INTO messages (id, peer, mine, epoch, seq, sent_ms, state, rank, unread, text)
                    VALUES ($1, 'carol', 0, 1, $2, $3, 3, $3, 1, $4)
                    """,
                    $"c{i:x31}", i + 1, 1_000 + i, i == 3 ? new byte[90] : me.Key.Seal($"c{i:x31}", "fine"u8));
            });
        GiveUpAllGaps(InboxOf(me));
        me.Store.Write(db => ChatOrder.Renew(db, "alice"));
        Assert.Contains(PrintAll(me, "alice"), line => line.Contains(MessageTable.NotShowable));
        var carol = PrintAll(me, "carol");
        Assert.Equal(Strange.Length, carol.Count);
        Assert.Single(carol, line => line.Contains(MessageTable.NotShowable));
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1UL << 31, 1)]
    [InlineData(long.MaxValue, 1)]
    [InlineData(1, 1UL << 44)]
    [InlineData(1, long.MaxValue)]
    public void A_number_beyond_its_bounds_does_not_open(ulong seq, ulong timeMs)
    {
        Assert.Null(OpenAsBob(Seal(Hello() with { Seq = seq, TimeMs = timeMs }).Envelope));
        Assert.Null(OpenAsBob(Seal(Hello() with { AckSeq = long.MaxValue }).Envelope));
        Assert.NotNull(OpenAsBob(Seal(Hello() with { Seq = int.MaxValue, TimeMs = (1UL << 44) - 1 }).Envelope));
    }

    /// <summary>docs/e2e.md, Message contents: a newer client sends what this one does not know.</summary>
    [Theory]
    [InlineData(2, false)]
    [InlineData(4, false)]
    [InlineData(8, true)]
    public void A_kind_to_come_is_one_line_in_its_place_also_after_a_restart(byte type, bool ofStranger)
    {
        MakeProfile();
        using (var profile = Profile.Open(_folder))
        using (var me = profile.Unlock(Password))
        {
            profile.RequestsWait = ofStranger;
            var inbox = InboxOf(me);
            var of = SealKind(type, Hello());
            inbox.Handle(me.RequireDevice(), [of, of]);
            Take(inbox, me, Hello("behind it") with { Seq = 2 });
            Assert.Empty(inbox.Gaps());
            Assert.Equal(2, inbox.Settled.Count);
            Assert.Equal(ofStranger, History.Of(me).HasRequest("alice"));
        }

        using var again = Profile.Open(_folder);
        using var reopened = again.Unlock(Password);
        var history = History.Of(reopened);
        string[] both = [MessageTable.NotShowable, "behind it"];
        Assert.Equal(both, history.With("alice").Select(message => message.Text));
        var shown = new List<string>();
        history.ShowUnread(10, (message, _) => shown.Add(message.Text), withRequests: true);
        Assert.Equal(both, shown);
    }

    /// <summary>docs/e2e.md, Signals: no node keeps one, so an acknowledgement could only be another message's.
    /// </summary>
    [Fact]
    public void A_signal_is_never_acknowledged_not_even_one_with_the_id_of_a_message_that_is_here()
    {
        MakeProfile();
        using var profile = Profile.Open(_folder);
        using var me = profile.Unlock(Password);
        var inbox = InboxOf(me);
        var (id, seen) = (EnvelopeId.New(), EnvelopeId.New());
        inbox.Handle(me.RequireDevice(), [SignalOf(id)]);
        Assert.True(inbox.TrySettle(SignalOf(id)));
        Assert.Equal(0, inbox.Settled.Count);

        inbox.Handle(me.RequireDevice(), [PushOf(SealAs(seen, doNotStore: false))]);
        Assert.Single(inbox.Settled.Take());
        inbox.Handle(me.RequireDevice(), [SignalOf(seen)]);
        Assert.True(inbox.TrySettle(SignalOf(seen)));
        Assert.Equal(0, inbox.Settled.Count);
        Assert.Single(History.Of(me).With("alice"));
    }

    private static Push SignalOf(EnvelopeId id) => PushOf(SealAs(id, doNotStore: true));

    private static SealedMessage SealAs(EnvelopeId id, bool doNotStore) => DirectEnvelope.Seal(
        Cluster, id, Hello(), Alice1.Signing, BobEntry.EncryptionKey, AliceEntry.EncryptionKey, doNotStore);

    private static Push PushOf(SealedMessage made) => new()
    {
        Id = ByteString.CopyFrom(made.Id.ToBytes()),
        Envelope = ByteString.CopyFrom(made.Envelope),
    };

    /// <summary>As <see cref="Seal"/>, but of another kind.</summary>
    private static Push SealKind(byte type, DirectMessage message)
    {
        var (id, key, cek) = (EnvelopeId.New(), BobEntry.EncryptionKey, new byte[32]);
        var prefix = EnvelopeHeader.Write(
            Cluster, Conversation.Between(Cluster, "alice", "bob"), id, doNotStore: false,
            [(key.Id, key.Wrap(WrapPurpose.DirectMessage, cek))]);
        var prefixHash = DirectEnvelope.PrefixHashOf(prefix);
        var body = message.Write();
        body[^(1 + 4 + ((MessageContent.Text)message.Content).Value.Length)] = type;
        var signature = Alice1.Signing.Sign(Labels.SignDirect, [.. prefixHash, .. body]);
        return new Push
        {
            Id = ByteString.CopyFrom(id.ToBytes()),
            Envelope = ByteString.CopyFrom(DirectEnvelope.Assemble(prefix, prefixHash, id, cek, body, signature)),
        };
    }

    [Theory]
    [InlineData("n1", "n1")]
    [InlineData("\u001b[31mn1", "?")]
    [InlineData("n1,n2,n3", "?")]
    [InlineData("", "?")]
    public void A_nodes_name_is_a_name(string said, string shown) => Assert.Equal(shown, NodeWords.Name(said));

    [Fact]
    public void What_nodes_say_neither_writes_on_the_screen_nor_grows_without_end()
    {
        Assert.Equal("\ufffd[2Jgone\ufffdand", NodeWords.Text("\u001b[2Jgone\nand"));
        Assert.InRange(NodeWords.Text(new string('x', 1 << 20)).Length, 1, 1_000);
        Assert.All(Strange, value => NodeWords.Time(unchecked((long)value)));
        Assert.Null(NodeWords.Time(long.MaxValue));
        Assert.Equal(NodeWords.ListMax, NodeWords.Count(uint.MaxValue));
    }

    private static DirectMessage Make(Prng random, int round)
    {
        var message = Hello(Texts[random.Below(Texts.Length)] + round) with { Seq = (ulong)random.Below(40) };
        if (random.Chance(0.3))
            message = message with { Seq = Pick(random) };
        if (random.Chance(0.3))
            message = message with { TimeMs = Pick(random) };
        if (random.Chance(0.3))
            message = message with { AckSeq = Pick(random) };
        if (random.Chance(0.2))
            message = message with { PreviousBody = new(random.Next128(), random.Next128()) };
        return random.Chance(0.2)
            ? message with { Content = new MessageContent.Receipt(ReceiptKind.Read, [new(random.Next128())]) }
            : message;
    }

    /// <summary>One gap of each chain at a time; a gap before nothing but receipts stays.</summary>
    private static void GiveUpAllGaps(Inbox inbox)
    {
        for (var i = 0; i < 200; i++)
            inbox.GiveUpGaps(inbox.Gaps().ToHashSet());
    }

    private static ulong Pick(Prng random) =>
        random.Chance(0.3) ? random.Next() : Strange[random.Below(Strange.Length)];

    private static void Take(Inbox inbox, UnlockedProfile me, DirectMessage message)
    {
        var push = PushOf(Seal(message));
        inbox.Handle(me.RequireDevice(), [push, push]);
        inbox.Handle(me.RequireDevice(), [push]);
    }

    private static List<string> PrintAll(UnlockedProfile me, string peer)
    {
        var history = History.Of(me);
        Assert.NotNull(history.Chats());
        foreach (var message in history.Unread())
            Print(message);
        return [.. history.With(peer).Select(Print)];
    }

    private static string Print(ChatMessage message)
    {
        Assert.NotEmpty(JsonLines.Message(message));
        var line = Transcript.Line(message, "bob", unread: true).ToString();
        Assert.DoesNotContain(line, c => char.IsControl(c) && c != '\n');
        return line;
    }

    private static Inbox InboxOf(UnlockedProfile me)
    {
        var links = new NodeLinks(
            new NodePool(new NodeSearch { AskNetwork = false }, me.Profile.Trust, []),
            new UserPass(me.Profile, () => me.Device));
        var keys = new KeyBook(me, new KeyQuestions(me.Cluster, links, _ => { }), _ => { });
        return new Inbox(
            me, keys, new MessageTable("bob", me.Key), TimeProvider.System, new EventSink(History.Of(me), me));
    }

    private void MakeProfile()
    {
        using var profile = Profile.Open(_folder);
        profile.RequestsWait = false; // Bob has never written to alice.
        using var keys = PasswordKeys.Derive(Cluster, "bob", Password, Kdf)!;
        using var authority = TestAuthority.Make();
        var device = DeviceKeys.TryImport(Bob1.Export())!; // The tests' own keys outlive the profile.
        using var me = profile.Save(
            new Device(BobLog, device.Signing, [device.Encryption]), Kdf, keys, new ClusterTrust(authority.RawData));
        var pin = me.Key.Seal("pin/alice", PinRecord.Write(AliceLog, Pin.FirstSight(AliceLog)));
        me.Store.Write(db => db.Execute("INSERT INTO pins (user, value) VALUES ('alice', $1)", pin));
    }
}
