using System.Security.Cryptography;
using System.Text;
using ChordChat.Crypto;
using ChordChat.Crypto.Passwords;
using ChordChat.Sdk;
using ChordChat.Sdk.Keys;
using ChordChat.Sdk.Messages;
using ChordChat.Sdk.Profiles;
using ChordChat.Sdk.Storage;
using Microsoft.Data.Sqlite;
using Xunit;

namespace ChordChat.Tests.Unit.Client;

/// <summary>docs/e2e.md, Damage: one bit makes nothing, or something else, out of a number, also where the table says
/// that there is always one. It ends no list, no chat and nobody's mail.</summary>
public sealed class FlippedBitTests : IDisposable
{
    private const string Unjudged = "0e000000000000000000000000000001";
    private const string Doubted = "0d000000000000000000000000000001";

    private static readonly byte[] Entry = SHA256.HashData("entry"u8);
    private static readonly byte[] Pin = [.. Enumerable.Repeat((byte)7, 60)];

    private readonly string _folder =
        Path.Combine(Path.GetTempPath(), "chordchat-tests", Guid.NewGuid().ToString("n"));

    private readonly LocalKey _key = LocalKey.New();
    private readonly MessageTable _messages;
    private readonly ArrivalTable _arrivals;
    private readonly string _waiting;
    private readonly string _sealed;
    private readonly byte[] _whole;

    /// <summary>Bob's third message came before his second, and his fifth waits for the fourth. Carol and many others
    /// are strangers, dave is a friend.</summary>
    public FlippedBitTests()
    {
        _messages = new MessageTable("alice", _key);
        _arrivals = new ArrivalTable(_messages);
        using (var profile = Profile.Open(_folder))
        {
            profile.Store.Write(db => db.Execute("INSERT INTO facts (name, value) VALUES ('device', x'01')"));
            var outbox = OutboxOf(profile);
            _waiting = outbox.Add("bob", "waiting"u8.ToArray());
            _sealed = outbox.Add("bob", "sealed"u8.ToArray());
            profile.Store.Write(Fill);
        }

        _whole = File.ReadAllBytes(FileOf());
    }

    public void Dispose()
    {
        _key.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData("messages", "late")]
    [InlineData("messages", "held back")]
    [InlineData("messages", "request")]
    [InlineData("messages", "only one")]
    [InlineData("messages", "ours")]
    [InlineData("heard", "held back")]
    [InlineData("chains", "bob")]
    [InlineData("circle", "frank")]
    [InlineData("pins", "frank")]
    [InlineData("unjudged", Unjudged)]
    [InlineData("doubted", Doubted)]
    [InlineData("outbox", "ours")]
    [InlineData("outbox", "sealed")]
    public void No_flipped_bit_of_a_number_ends_anything(string table, string row)
    {
        var key = KeyOf(row);
        var columns = Columns(table);
        var copies = StoredRows.TypesOf(_whole, key, columns.Count);
        Assert.NotEmpty(copies);
        var (count, failures) = (0, new List<string>());
        foreach (var (i, column) in columns.Index())
            foreach (var damaged in Flipped(_whole[copies[0][i]]))
                try
                {
                    count++;
                    var file = (byte[])_whole.Clone();
                    foreach (var types in copies)
                        file[types[i]] = damaged;
                    File.WriteAllBytes(FileOf(), file);
                    EverythingGoesOn(table, column);
                }
                catch (Exception cause) when (cause is not OutOfMemoryException)
                {
                    failures.Add($"{column} -> {damaged}: {cause.GetType().Name} {cause.Message}");
                }

        Assert.True(count > 0);
        Assert.True(failures.Count == 0, $"{failures.Count} of {count}\n{string.Join('\n', failures)}");
    }

    [Theory]
    [InlineData("late")]
    [InlineData("held back")]
    [InlineData("request")]
    [InlineData("only one")]
    [InlineData("ours")]
    public void No_flipped_bit_of_an_index_ends_anything(string row)
    {
        var rows = StoredRows.IndexTypesOf(_whole, KeyOf(row));
        var (count, failures) = (0, new List<string>());
        foreach (var types in rows)
            foreach (var at in types)
                foreach (var damaged in Flipped(_whole[at]))
                    try
                    {
                        count++;
                        var file = (byte[])_whole.Clone();
                        file[at] = damaged;
                        File.WriteAllBytes(FileOf(), file);
                        EverythingGoesOn("messages", "rank");
                    }
                    catch (Exception cause) when (cause is not OutOfMemoryException)
                    {
                        failures.Add(
                            $"{string.Join(' ', types.Select(type => _whole[type]))} at {at - types[0]} -> {damaged}: "
                            + $"{cause.GetType().Name} {cause.Message}");
                    }

        Assert.True(count > 0);
        Assert.True(failures.Count == 0, $"{failures.Count} of {count}\n{string.Join('\n', failures)}");
    }

    [Fact]
    public void Without_the_outboxs_last_number_unsent_messages_go_out_again()
    {
        using var profile = Profile.Open(_folder);
        var outbox = OutboxOf(profile);
        profile.Store.Write(db => Outbox.Leave(db));
        foreach (var value in (object?[])[null, "", 0])
        {
            profile.Store.Write(db => db.Execute("UPDATE sqlite_sequence SET seq = $1", value));
            outbox.SendAgain([_waiting, _sealed]);
            Assert.Equal(2, outbox.Texts);
            profile.Store.Write(db => Outbox.Leave(db));
        }
    }

    /// <summary>Nothing goes out without its sender's word.</summary>
    [Fact]
    public void What_was_put_aside_stays_so_whatever_the_outbox_says()
    {
        using (var profile = Profile.Open(_folder))
        {
            profile.Store.Write(db => Outbox.Leave(db));
            profile.Store.Write(db => db.Execute("UPDATE outbox SET parked = iif(id = $1, '', 0)", _waiting));
        }

        using (var profile = Profile.Open(_folder))
        {
            var outbox = OutboxOf(profile);
            Assert.Equal(0, outbox.Texts);
            outbox.SendAgain([_waiting, _sealed]);
            Assert.Equal(2, outbox.Texts);
        }
    }

    /// <summary>Of a number without a value: the bits that leave the others where they are.</summary>
    private static byte[] Flipped(byte type) => type switch
    {
        StoredRows.Zero => [0, StoredRows.One, 10, 12], // Nothing, 1, nothing, an empty blob.
        StoredRows.One => [StoredRows.Zero, 11, 13], // 0, nothing, an empty text.
        _ => [],
    };

    private string KeyOf(string row) => row switch
    {
        "late" => Id("bob", 2),
        "held back" => Id("bob", 5),
        "request" => Id("carol", 1),
        "only one" => Id("dave", 1),
        "ours" => _waiting,
        "sealed" => _sealed,
        _ => row,
    };

    private void EverythingGoesOn(string table, string column)
    {
        using var profile = Profile.Open(_folder);
        profile.Store.Read(db => db.Execute("PRAGMA synchronous = OFF"));
        var me = Of(profile);
        var history = ChordChat.Sdk.Messages.History.Of(me);
        Listed(history, ["one", "three"]);
        var bobs = history.Chats().Single(chat => chat.Peer == "bob");
        Assert.InRange(bobs.Unread, 2, 4);
        Assert.True(column is "rank" || history.Chats().Any(chat => chat.Peer == "dave"), "dave is nowhere");
        Assert.True(
            history.Requests().Any(one => one.From == "carol") || history.Chats().Any(one => one.Peer == "carol")
            || column is "rank", "carol is nowhere");
        var outbox = OutboxOf(profile);
        new Receipts(profile.Store, outbox, TimeProvider.System).PutDue(flush: true);
        ShownOnce(history);

        // Bob's fourth comes, and what cannot come is given up.
        profile.Store.Write(db => Arrive(db, "bob", 4, "four"));
        profile.Store.Write(GiveUp);
        Listed(history, ["one", "two", "three", "four", "five"]);
        ShownOnce(history);
        profile.Store.Write(db => Arrive(db, "bob", 6, "six"));
        profile.Store.Write(GiveUp); // The index may not have the fifth.
        Assert.Contains("six", Texts(history.With("bob")));
        history.MarkRead(Enumerable.Range(1, 6).Select(seq => Id("bob", seq)));
        Assert.Equal(0, history.UnreadCount("bob"));
        Assert.True(history.Unsent().Count >= 0);
        if (table == "outbox" || column == "state")
            AllWaitOrSaySo(profile, outbox, history);
        Rest(profile, me);
    }

    private static void Listed(ChordChat.Sdk.Messages.History history, string[] texts)
    {
        var shown = Texts(history.With("bob"));
        Assert.True(texts.All(shown.Contains), $"only {string.Join(' ', shown)}");
        Assert.Equal(shown.Count, shown.Distinct().Count());
    }

    /// <summary>Whatever is shown is marked, or <c>tail</c> would print it for ever.</summary>
    private static void ShownOnce(ChordChat.Sdk.Messages.History history)
    {
        history.ShowUnread(1000, (_, _) => { });
        Assert.Empty(Texts(history.Unread()));
    }

    private void AllWaitOrSaySo(Profile profile, Outbox outbox, ChordChat.Sdk.Messages.History history)
    {
        Assert.Contains("bob", outbox.PeersSealed());
        Assert.Single(outbox.Sealed("bob", 0, 10));
        foreach (var id in (string[])[_waiting, _sealed])
            Assert.Equal(
                history.Find(id)!.State == MessageState.Refused ? 0 : 1,
                profile.Store.Read(db => db.Scalar<long>(
                    "SELECT count(*) FROM outbox WHERE id = $1 AND parked = 0 AND (envelope NOT NULL OR type = 1)",
                    id)));
    }

    /// <summary>Requests, blocks, pins, what waits for keys.</summary>
    private static void Rest(Profile profile, UnlockedProfile me)
    {
        var kept = new Kept();
        profile.Store.Write(db => Assert.True(RequestTable.Admit(db, Arrival("zoe", 1, "hello"), kept)));
        var circle = Circle.Of(me);
        circle.Accept("carol");
        ShownOnce(ChordChat.Sdk.Messages.History.Of(me));
        foreach (var user in (string[])["bob", "frank"])
        {
            circle.Block(user);
            Assert.Contains(user, circle.Blocked);
            circle.Unblock(user);
            Assert.DoesNotContain(user, circle.Blocked);
        }

        var unjudged = new UnjudgedMail(profile.Store, TimeProvider.System);
        for (var i = 0; i < UnjudgedMail.TriesMax; i++)
            unjudged.Looked("erin", _ => false);
        Assert.Empty(unjudged.Senders());
        profile.Store.Write(db =>
        {
            Assert.NotNull(PinTable.TryPut(db, "frank", PinTable.TagOf(db, "frank"), Pin, isFirst: true));
            ChainTable.HasBeenAway(db);
            ChainTable.Forget(db, "bob", 1, but: 0);
            db.Execute("DELETE FROM doubted WHERE at_ms < $1", long.MaxValue);
        });
    }

    private void Fill(SqliteConnection db)
    {
        db.Execute("INSERT INTO circle (user, written) VALUES ('frank', 1), ('dave', 1)");
        db.Execute("INSERT INTO pins (user, value, is_first) VALUES ('frank', $1, 1)", Pin);
        db.Execute(
            "INSERT INTO unjudged (id, peer, entry, mark, since_ms) VALUES ($1, 'erin', $2, x'01', 1)",
            Unjudged, Entry);
        db.Execute("INSERT INTO doubted (id, at_ms) VALUES ($1, 1)", Doubted);
        byte[] envelope = [.. new byte[53], .. Convert.FromHexString(_sealed), .. new byte[11]];
        db.Execute("UPDATE outbox SET envelope = $1, sealed_ms = 1 WHERE id = $2", envelope, _sealed);
        Arrive(db, "bob", 1, "one");
        Arrive(db, "bob", 3, "three");
        GiveUp(db);
        Arrive(db, "bob", 2, "two");
        Arrive(db, "bob", 5, "five");
        Arrive(db, "carol", 1, "hello");
        Arrive(db, "dave", 1, "hello");
        for (var i = 1; i < RequestTable.SendersMax; i++)
            Arrive(db, $"stranger{i}", 1, "hello", nowMs: 2);
        RequestTable.SetCircleKnown(db);
    }

    private static void GiveUp(SqliteConnection db) =>
        ArrivalTable.GiveUpGaps(db, new HashSet<string> { "bob" }, new Kept());

    private void Arrive(SqliteConnection db, string from, int seq, string text, long nowMs = 1) =>
        _arrivals.Keep(db, Arrival(from, seq, text), wholeHistory: true, nowMs, new Kept());

    private static Arrival Arrival(string from, int seq, string text) => new(
        Id(from, seq), from, 1, (ulong)seq, Body(from, seq), Body(from, seq - 1), 1, 0, 1_700_000_000_000 + seq,
        Encoding.UTF8.GetBytes(text), "");

    private static Digest Body(string from, int seq) =>
        seq == 0 ? default : Digest.FromBytes(SHA256.HashData(Encoding.ASCII.GetBytes(Id(from, seq))));

    private static string Id(string from, int seq) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes($"{from} {seq}")))[..32];

    private static List<string> Texts(IEnumerable<ChatMessage> messages) =>
        [.. messages.Select(message => message.Text)];

    private List<string> Columns(string table)
    {
        File.WriteAllBytes(FileOf(), _whole);
        using var profile = Profile.Open(_folder);
        return profile.Store.Read(db => db.Query(
            "SELECT name FROM pragma_table_info($1)", row => row.GetString(0), table));
    }

    private string FileOf() => Path.Combine(_folder, "profile.db");

    private UnlockedProfile Of(Profile profile) => new(profile, default, "alice", _key, device: null, record: null);

    private Outbox OutboxOf(Profile profile) => new(Of(profile), null!, _messages, TimeProvider.System);
}
