using ChordChat.Client.Conversation;
using ChordChat.Client.Terminal;
using ChordChat.Sdk;
using ChordChat.Sdk.Messages;

namespace ChordChat.Client.Scripting;

/// <summary>Commands that only ask: <c>history</c> this machine, <c>status</c> and <c>where</c> any node.</summary>
internal static class QueryCommands
{
    public static int History(ScriptContext context, string user, int limit)
    {
        using var profile = context.OpenProfile();
        using var me = context.Unlock(profile);
        var isEmpty = true;
        foreach (var message in Sdk.Messages.History.Of(me).With(user, limit))
        {
            context.PrintMissing(message);
            context.Print(JsonLines.Message(message), Line(message));
            isEmpty = false;
        }

        if (isEmpty && !context.Json)
            Output.Say($"chordchat: this machine has no messages with {user}");
        return 0;
    }

    public static async Task<int> StatusAsync(ScriptContext context, string user, CancellationToken cancellation)
    {
        var presence = await AskAsync(context, lookup => lookup.StatusAsync(user, cancellation));
        var since = presence.Since is { } time ? $" since {time.ToLocalTime():g}" : "";
        context.Print(JsonLines.Status(presence), $"{user} is {(presence.Online ? "online" + since : "offline")}");
        return 0;
    }

    public static async Task<int> WhereAsync(ScriptContext context, string user, CancellationToken cancellation)
    {
        var place = await AskAsync(context, lookup => lookup.WhereAsync(user, cancellation));
        context.Print(
            JsonLines.Where(place),
            $"{user}: kept by {string.Join(", ", place.Members)} (tile {place.Tile}, epoch {place.Epoch})");
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

    private static string Line(ChatMessage message) =>
        $"{(message.Typed ?? message.Sent).ToLocalTime():yyyy-MM-dd HH:mm:ss} {message.From} > {message.To} "
        + $"[{JsonLines.StateOf(message.State)}] {Transcript.Shown(message.Text)}{Transcript.Late(message)}";
}
