using System.Globalization;
using ChordChat.Client.Conversation;
using ChordChat.Client.Terminal;
using ChordChat.Sdk;
using ChordChat.Sdk.Accounts;
using ChordChat.Sdk.Messages;

namespace ChordChat.Client.Scripting;

/// <summary>Commands that only ask: <c>history</c> this machine, <c>status</c> and <c>where</c> any node.</summary>
internal static class QueryCommands
{
    public static int History(ScriptContext context, string user, int limit)
    {
        if (user != "?") // Of whom a damaged disk has lost the name.
            Accounts.CheckName(user);
        using var profile = context.OpenProfile();
        using var me = context.Unlock(profile);
        var isEmpty = true;
        foreach (var message in Sdk.Messages.History.Of(me).With(user, limit))
        {
            context.PrintMissing(message);
            context.Print(JsonLines.Message(message), Line(message, user));
            isEmpty = false;
        }

        if (isEmpty && !context.Json)
            Output.Say($"chordchat: this machine has no messages with {user}");
        return 0;
    }

    public static async Task<int> StatusAsync(ScriptContext context, string user, CancellationToken cancellation)
    {
        var presence = await AskAsync(context, lookup => lookup.StatusAsync(user, cancellation));
        context.Print(JsonLines.Status(presence), Line(presence));
        return 0;
    }

    internal static string Line(Presence presence) => presence switch
    {
        { Online: true, Since: { } since } => $"{presence.User} is online since {Time(since)}",
        { Online: true } => $"{presence.User} is online",
        _ => $"{presence.User} is offline",
    };

    /// <summary>In this machine's zone, written as ISO 8601 does, but for the space in the middle.</summary>
    internal static string Time(DateTimeOffset time) =>
        time.ToLocalTime().ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);

    public static async Task<int> WhereAsync(ScriptContext context, string user, CancellationToken cancellation)
    {
        var place = await AskAsync(context, lookup => lookup.WhereAsync(user, cancellation));
        context.Print(
            JsonLines.Where(place),
            $"{user}: kept by {Answers.Keepers(place)} (tile {place.Tile}, epoch {place.Epoch})");
        return 0;
    }

    /// <summary>Needs a password only when the profile's pass is not good any more, a day after its last session.
    /// </summary>
    private static async Task<T> AskAsync<T>(ScriptContext context, Func<Lookup, Task<T>> ask)
    {
        using var profile = context.OpenProfile();
        try
        {
            using var lookup = new Lookup(profile, context.Search);
            return await ask(lookup);
        }
        catch (ChordChatException cause) when (cause.Code == "no_pass")
        {
            using var me = context.Unlock(profile);
            using var lookup = new Lookup(me, context.Search);
            return await ask(lookup);
        }
    }

    private static Span[] Line(ChatMessage message, string with) =>
    [
        new(
            $"{Time(message.Typed ?? message.Sent)} {message.From} > {message.To} "
            + $"[{JsonLines.StateOf(message.State)}] ", Style.Plain),
        Transcript.Text(message, with),
        new(Transcript.Marks(message), Style.Plain),
    ];
}
