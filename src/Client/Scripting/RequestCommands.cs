using ChordChat.Client.Conversation;
using ChordChat.Client.Terminal;
using ChordChat.Sdk.Messages;

namespace ChordChat.Client.Scripting;

/// <summary><c>requests</c> and <c>accept</c>.</summary>
internal static class RequestCommands
{
    private static readonly TimeSpan FlushTimeout = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan TurnPoll = TimeSpan.FromMilliseconds(50);

    /// <summary>As this machine knows it; works offline.</summary>
    public static Task<int> ListAsync(ScriptContext context)
    {
        using var profile = context.OpenProfile();
        using var me = context.Unlock(profile);
        var requests = History.Of(me).Requests();
        foreach (var request in requests)
            context.Print(JsonLines.Request(request), Answers.Request(request));
        if (requests.Count == 0 && !context.Json)
            Output.Say("chordchat: " + None(profile.RequestsWait));
        return Task.FromResult(0);
    }

    /// <summary>No node was asked, so somebody may be waiting all the same.</summary>
    private static string None(bool wait) => wait
        ? "nobody is waiting to be accepted, as far as this machine knows; it learns of new messages only while it is "
            + "connected, for example by 'chordchat tail' or in the console"
        : Answers.NoRequests(wait);

    /// <summary>Needs no password and no node: it is a setting of this machine.</summary>
    public static Task<int> SwitchAsync(ScriptContext context, bool on)
    {
        using var profile = context.OpenProfile();
        profile.RequestsWait = on;
        context.Print(JsonLines.RequestsWait(on), Answers.RequestsWait(on));
        return Task.FromResult(0);
    }

    /// <summary>Shows what waits of somebody, as <c>tail</c> does, and tells nodes that they are known from now
    /// on.</summary>
    public static async Task<int> AcceptAsync(ScriptContext context, string user, CancellationToken cancellation)
    {
        using var profile = context.OpenProfile();
        using var me = context.Unlock(profile);
        await using var session = new ScriptSession(context, me);
        session.Client.CheckRecipient(user);
        await BlockCommands.CheckAsync(session.Client, user, undo: null, cancellation);
        session.Client.Circle.Accept(user);
        while (session.Client.History.ShowUnreadOf(
            user, int.MaxValue, (message, again) => TailCommand.Print(context, message, again)) is null)
            await Task.Delay(TurnPoll, cancellation);
        await BlockCommands.ToldAsync(session, user, $"{user} is accepted", cancellation);
        await session.Client.FlushAsync(FlushTimeout, CancellationToken.None);
        if (!context.Json)
            Output.Say($"chordchat: {user} is accepted; answer with 'chordchat send {user} TEXT'");
        return 0;
    }
}
