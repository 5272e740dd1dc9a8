using ChordChat.Client.Terminal;
using ChordChat.Sdk;

namespace ChordChat.Client.Scripting;

/// <summary><c>block</c>, <c>unblock</c> and <c>blocked</c>.</summary>
internal static class BlockCommands
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    public static Task<int> BlockAsync(ScriptContext context, string user, CancellationToken cancellation) =>
        ChangeAsync(
            context, user, client =>
            {
                client.Circle.Block(user);
                return "is blocked";
            }, cancellation, client => client.Circle.Unblock(user));

    public static Task<int> UnblockAsync(ScriptContext context, string user, CancellationToken cancellation) =>
        ChangeAsync(
            context, user, client => client.Circle.Unblock(user) ? "is no longer blocked" : "is not blocked",
            cancellation);

    /// <summary>As this machine knows it; works offline.</summary>
    public static Task<int> ListAsync(ScriptContext context)
    {
        using var profile = context.OpenProfile();
        using var me = context.Unlock(profile);
        var blocked = Circle.Of(me).Blocked;
        foreach (var user in blocked)
            context.Print(JsonLines.Blocked(user), user);
        if (blocked.Count == 0 && !context.Json)
            Output.Say("chordchat: nobody is blocked");
        return Task.FromResult(0);
    }

    /// <param name="change">Returns what is true of the user then.</param>
    /// <param name="undo">Takes it back if nobody has this name; null if that does not matter.</param>
    private static async Task<int> ChangeAsync(
        ScriptContext context, string user, Func<ChatClient, string> change, CancellationToken cancellation,
        Action<ChatClient>? undo = null)
    {
        using var profile = context.OpenProfile();
        using var me = context.Unlock(profile);
        await using var session = new ScriptSession(context, me);
        var client = session.Client;
        client.CheckRecipient(user);
        var text = change(client);
        if (undo is not null)
            await CheckAsync(client, user, () => undo(client), cancellation);
        await ToldAsync(session, user, $"{user} {text}", cancellation);
        context.Print(JsonLines.Blocked(user), $"{user} {text}");
        return 0;
    }

    /// <summary>Refuses a name of which nodes say that nobody has it.</summary>
    /// <param name="undo">Takes back what was done already, for no node may answer.</param>
    /// <exception cref="ChordChatException"><c>unknown_user</c>.</exception>
    public static async Task CheckAsync(ChatClient client, string user, Action? undo, CancellationToken cancellation)
    {
        if (client.People.KeysOf(user) is not null || !await client.People.IsNobodyAsync(user, cancellation))
            return;
        undo?.Invoke();
        throw People.Nobody(user);
    }

    /// <summary>Waits until nodes know what is known here about somebody.</summary>
    /// <param name="what">What they are to know.</param>
    /// <exception cref="ChordChatException"><c>not_in_time</c>.</exception>
    public static async Task ToldAsync(
        ScriptSession session, string user, string what, CancellationToken cancellation)
    {
        var client = session.Client;
        var until = Environment.TickCount64 + (long)Patience.TotalMilliseconds;
        while (true)
        {
            var next = client.History.NextChange;
            if (client.Circle.IsToldOf(user))
                break;
            var left = until - Environment.TickCount64;
            if (left <= 0)
                throw new ChordChatException(
                    "not_in_time", $"{what} on this machine, but the nodes do not know it yet",
                    "nothing to do: the next command of this profile that connects, or the console, tells them");
            await session.UnlessEndedAsync(
                Task.WhenAny(next, Task.Delay(TimeSpan.FromMilliseconds(Math.Min(left, 100)), cancellation)));
            cancellation.ThrowIfCancellationRequested();
        }
    }
}
