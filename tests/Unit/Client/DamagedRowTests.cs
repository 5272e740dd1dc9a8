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

    /// <summary>It would wait for ever, or go out under an id that nobody takes.</summary>
    [Theory]
    [InlineData("UPDATE outbox SET id = x'FF001B' WHERE id = $1")]
    [InlineData("UPDATE outbox SET id = 'no id at all' WHERE id = $1")]
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

    private static string[] Lines(string output) => output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
}
