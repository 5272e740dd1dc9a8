using ChordChat.Sdk.Profiles;
using ChordChat.Sdk.Storage;
using Xunit;

namespace ChordChat.Tests.Unit.Client;

/// <summary>docs/e2e.md, Order: a damaged row of the profile costs its own line; what is missing is said.</summary>
public class DamagedRowTests
{
    private static readonly string[] Columns =
    [
        "text", "sent_ms", "state", "copies", "copies_of", "missing", "note", "reachable", "unread", "owed", "typed_ms",
        "late",
    ];

    private static readonly object[] Values =
        [new byte[] { 0xFF, 0, 0x1B }, long.MinValue, long.MaxValue, "\u001b[2J", 1e300];

    [Fact]
    public void A_damaged_value_hides_no_other_message()
    {
        using var filled = new FilledProfile("one", "two", "three");
        using var profile = Profile.Open(filled.Folder);
        using var me = profile.Unlock(FilledProfile.Password);
        var history = ChordChat.Sdk.Messages.History.Of(me);
        var id = $"{1:x32}";
        foreach (var column in Columns)
        {
            profile.Store.Write(db =>
                db.Execute($"CREATE TABLE saved AS SELECT {column} AS value FROM messages WHERE id = $1", id));
            foreach (var value in Values)
            {
                profile.Store.Write(db => db.Execute($"UPDATE messages SET {column} = $1 WHERE id = $2", value, id));
                var shown = history.With("bob").Select(message => message.Text).ToList();
                Assert.Equal(3, shown.Count);
                Assert.True(shown.Contains("one") && shown.Contains("three"), column);
                Assert.Contains("three", history.Unread().Select(message => message.Text));
                Assert.Single(history.Chats());
                Assert.NotNull(history.Unsent());
            }

            profile.Store.Write(db =>
            {
                db.Execute($"UPDATE messages SET {column} = (SELECT value FROM saved) WHERE id = $1", id);
                db.Execute("DROP TABLE saved");
            });
        }
    }

    [Theory]
    [InlineData("UPDATE messages SET id = x'FF001B' WHERE id = $1")]
    [InlineData("UPDATE messages SET id = 'no id at all' WHERE id = $1")]
    [InlineData("UPDATE messages SET id = '' WHERE id = $1")]
    [InlineData("UPDATE messages SET id = CAST(x'FF1B5B326A' AS TEXT) WHERE id = $1")]
    [InlineData("UPDATE messages SET id = upper(replace(id, '0', 'a')) WHERE id = $1")]
    public void A_damaged_id_costs_its_own_text_and_the_message_is_shown_once(string damage)
    {
        using var filled = new FilledProfile("one", "two", "three");
        using (var before = Profile.Open(filled.Folder))
            before.Store.Write(db => db.Execute(damage, $"{1:x32}"));
        using var profile = Profile.Open(filled.Folder);
        using var me = profile.Unlock(FilledProfile.Password);
        var history = ChordChat.Sdk.Messages.History.Of(me);

        var shown = new List<string>();
        Assert.Equal(3, history.ShowUnread(100, (message, _) => shown.Add(message.Text)));

        Assert.Equal(["one", ChordChat.Sdk.Messages.MessageTable.NotShowable, "three"], shown);
        Assert.Empty(history.Unread());
        Assert.Equal(3, history.With("bob").Count);
        Assert.All(history.With("bob"), message => Assert.NotNull(history.Find(message.Id)));
    }

    private const string NoName = "CAST(x'62FF62' AS TEXT)";

    /// <summary>docs/e2e.md, Damage: never the end of a list.</summary>
    [Theory]
    [InlineData(NoName)]
    [InlineData("x'62FF62'")]
    [InlineData("CAST(x'626F6200FF' AS TEXT)")]
    [InlineData("'Bob'")]
    [InlineData("''")]
    public void A_message_of_nobody_knows_whom_is_one_line_and_no_request(string name)
    {
        using var filled = new FilledProfile("one", "two", "three");
        using (var before = Profile.Open(filled.Folder))
        {
            before.Store.Write(db => db.Execute($"UPDATE messages SET peer = {name}, owed = 1 WHERE id = $1", Id(1)));
            using var unlocked = before.Unlock(FilledProfile.Password);
            // Damaged while the profile is open.
            Assert.Single(ChordChat.Sdk.Messages.History.Of(unlocked).Requests());
        }

        using var profile = Profile.Open(filled.Folder);
        using var me = profile.Unlock(FilledProfile.Password);
        var history = ChordChat.Sdk.Messages.History.Of(me);
        Assert.Empty(history.Requests());
        Assert.Equal(["bob", "?", "bob"], history.Unread().Select(message => message.From));
        Assert.Equal("two", Assert.Single(history.With("?")).Text);
        Assert.Equal(["?", "bob"], history.Chats().Select(chat => chat.Peer).Order());
        Assert.Equal(0, profile.Store.Read(db => db.Scalar<long>("SELECT count(*) FROM messages WHERE owed > 0")));
    }

    /// <summary>One table after the other loses it.</summary>
    [Fact]
    public void A_damaged_name_comes_back_from_where_the_profile_has_it_too()
    {
        using var filled = new FilledProfile("one", "two");
        using (var profile = Profile.Open(filled.Folder))
            profile.Store.Write(db =>
            {
                db.Execute(
                    "INSERT INTO heard (id, peer, epoch, seq, body, at_ms) "
                    + "SELECT id, peer, epoch, seq, zeroblob(32), 0 FROM messages");
                db.Execute("INSERT INTO outbox (id, peer, type, content) VALUES ($1, 'bob', 1, x'01')", Id(1));
            });
        foreach (var table in (string[])["messages", "heard", "outbox"])
        {
            using (var profile = Profile.Open(filled.Folder))
                profile.Store.Write(db => db.Execute($"UPDATE {table} SET peer = {NoName} WHERE id = $1", Id(1)));
            using (var profile = Profile.Open(filled.Folder))
                Assert.Equal(
                    "bob",
                    profile.Store.Read(db => db.Scalar<string>($"SELECT peer FROM {table} WHERE id = $1", Id(1))));
        }
    }

    /// <summary>Nobody asks for such names, nor waits for ever for the chats behind them.</summary>
    [Fact]
    public void A_damaged_name_is_no_key_to_anything()
    {
        using var filled = new FilledProfile("one");
        using (var profile = Profile.Open(filled.Folder))
            profile.Store.Write(db =>
            {
                db.Execute($"UPDATE messages SET peer = {NoName}, rank = NULL");
                db.Execute(
                    $"INSERT INTO heard (id, peer, epoch, seq, body, at_ms) VALUES ($1, {NoName}, 1, 7, x'', 0)",
                    Id(9));
                db.Execute($"INSERT INTO chains (peer, mine, epoch, seq, body) VALUES ({NoName}, 0, 1, 6, x'')");
                db.Execute($"INSERT INTO circle (user, blocked, is_blocked_told) VALUES ({NoName}, 1, 0)");
                db.Execute(
                    $"INSERT INTO unjudged (id, peer, entry, mark, since_ms) VALUES ($1, {NoName}, $2, x'', 0)",
                    Id(9), new byte[32]);
                db.Execute($"INSERT INTO outbox (id, peer, type, content) VALUES ($1, {NoName}, 3, x'')", Id(9));
            });
        using (var profile = Profile.Open(filled.Folder))
        {
            foreach (var table in (string[])["heard", "chains", "unjudged", "outbox"])
                Assert.Equal(0, profile.Store.Read(db => db.Scalar<long>($"SELECT count(*) FROM {table}")));
            using var me = profile.Unlock(FilledProfile.Password);
            Assert.Empty(ChordChat.Sdk.Circle.Of(me).Blocked);
            Assert.Equal("one", Assert.Single(ChordChat.Sdk.Messages.History.Of(me).Unread()).Text);
        }
    }

    /// <summary>It would wait for ever, or go out under an id that nobody takes.</summary>
    [Theory]
    [InlineData("UPDATE outbox SET id = x'FF001B' WHERE id = $1")]
    [InlineData("UPDATE outbox SET id = 'no id at all' WHERE id = $1")]
    [InlineData("UPDATE outbox SET type = 3 WHERE id = $1")]
    [InlineData("UPDATE outbox SET id = replace(id, substr(id, 1, 1), 'f'), envelope = zeroblob(600) WHERE id = $1")]
    public async Task A_damaged_id_in_the_outbox_is_a_message_that_says_that_it_cannot_be_sent(string damage)
    {
        using var filled = new FilledProfile("one");
        string id;
        using (var before = Profile.Open(filled.Folder))
        {
            using var sender = before.Unlock(FilledProfile.Password);
            await using (var client = new ChordChat.Sdk.ChatClient(
                sender, new() { Explicit = ["127.0.0.1:1"], AskNetwork = false }))
                id = client.Send("bob", "two");
            before.Store.Write(db => db.Execute(damage, id));
        }

        using var profile = Profile.Open(filled.Folder);
        using var me = profile.Unlock(FilledProfile.Password);
        var message = ChordChat.Sdk.Messages.History.Of(me).Find(id)!;
        Assert.Equal((ChordChat.Sdk.Messages.MessageState.Refused, "two"), (message.State, message.Text));
        Assert.Contains("write it again", message.Note);
        Assert.Equal(0, profile.Store.Read(db => db.Scalar<long>("SELECT count(*) FROM outbox")));
    }

    [Fact]
    public async Task History_says_what_is_missing_before_a_message()
    {
        using var filled = new FilledProfile("one", "two");
        using (var profile = Profile.Open(filled.Folder))
            profile.Store.Write(db => db.Execute(
                "UPDATE messages SET missing = 2, elsewhere = 1 WHERE id = $1", $"{1:x32}"));
        var (code, output, _) = await FilledProfile.RunAsync(filled.Command("history bob"));
        Assert.Equal(0, code);
        var lines = Lines(output);
        Assert.Equal("(up to 2 messages from bob may be missing here)", lines[1]);
        Assert.Equal("(a message from bob may have gone to another device of yours)", lines[2]);
        Assert.Equal(4, lines.Length);
        var (_, json, _) = await FilledProfile.RunAsync(filled.Command("history bob --json"));
        Assert.Contains("\"missing\":2,\"elsewhere\":1", json);
    }

    /// <summary>docs/e2e.md, Order: late. The console's line is <see cref="TranscriptTests"/>'.</summary>
    [Theory]
    [InlineData("history bob")]
    [InlineData("tail --count 2")]
    public async Task Whatever_shows_a_late_message_says_that_it_came_late(string command)
    {
        using var filled = new FilledProfile("one", "two");
        using (var profile = Profile.Open(filled.Folder))
            profile.Store.Write(db => db.Execute("UPDATE messages SET late = 1 WHERE id = $1", $"{1:x32}"));
        var (_, json, _) = await FilledProfile.RunAsync(filled.Command("history bob --json"));
        Assert.Equal([false, true], Lines(json).Select(line => line.Contains("\"late\":true")));
        var (code, output, _) = await FilledProfile.RunAsync(filled.Command(command));
        Assert.Equal(0, code);
        Assert.EndsWith("one", Lines(output)[0]);
        Assert.EndsWith("two (came late)", Lines(output)[1]);
    }

    [Fact]
    public void Standard_error_is_written_in_one_place_which_makes_every_text_harmless() => Assert.Equal(
        ["src/Client/Terminal/Output.cs"],
        Repository.Sources("src/Client")
            .Where(file => Repository.Lines(file).Any(line => line.Contains("Console.Error"))));

    private static string Id(int number) => $"{number:x32}";

    private static string[] Lines(string output) => output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
}
