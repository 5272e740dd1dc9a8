using ChordChat.Sdk;
using ChordChat.Sdk.Accounts;
using ChordChat.Sdk.Profiles;

namespace ChordChat.Client.Scripting;

/// <summary><c>register</c> and <c>login</c>.</summary>
internal static class AccountCommands
{
    public static async Task<int> RegisterAsync(
        ScriptContext context, string user, string? invitation, CancellationToken cancellation)
    {
        Accounts.CheckName(user);
        using var made = NewProfile.Open(context.FolderOf(user));
        var profile = made.Profile;
        context.Vouch(profile);
        using var accounts = new Accounts(profile, context.Search);
        var greeting = await accounts.GreetAsync(cancellation);
        ScriptContext.AskWhetherRight(accounts, greeting);
        accounts.Invitation = invitation;
        using var me = await RegisterAsync(
            context, accounts, user, context.NewPassword(user, greeting.Demo), cancellation);
        Say(context, user, greeting, $"{user} is registered; keys and history are in {profile.Folder}");
        return 0;
    }

    /// <summary>Registers; asks a person who sits there for the operator's code when the node wants one. At a
    /// terminal that is so also if the password comes from elsewhere, as long as no code does.</summary>
    public static async Task<UnlockedProfile> RegisterAsync(
        ScriptContext context, Accounts accounts, string user, string password, CancellationToken cancellation)
    {
        accounts.Invitation ??= InvitationAtHand.Find();
        var canAsk = context.IsAttended || (accounts.Invitation is null && !Console.IsInputRedirected);
        while (true)
            try
            {
                return await accounts.RegisterAsync(user, password, cancellation);
            }
            catch (ChordChatException cause) when (cause.Code == "invitation_needed" && !canAsk)
            {
                throw InvitationAtHand.Missing(cause);
            }
            catch (ChordChatException cause) when (canAsk
                && cause.Code.StartsWith("invitation_", StringComparison.Ordinal))
            {
                context.Complain(cause);
                if (Prompt.Line("invitation code: ") is not { Length: > 0 } code)
                    throw;
                accounts.Invitation = code;
            }
    }

    public static async Task<int> LogInAsync(ScriptContext context, string user, CancellationToken cancellation)
    {
        Accounts.CheckName(user);
        using var made = NewProfile.Open(context.FolderOf(user));
        var profile = made.Profile;
        context.Vouch(profile);
        using var accounts = new Accounts(profile, context.Search);
        var greeting = await accounts.GreetAsync(cancellation);
        ScriptContext.AskWhetherRight(accounts, greeting);
        var password = context.Password($"password for {user}: ");
        for (var attempt = 1; ; attempt++)
        {
            using var me = await accounts.LogInAsync(user, password, cancellation);
            await using var session = new ScriptSession(context, me);
            try
            {
                await session.ConnectedAsync(TimeSpan.FromSeconds(15), cancellation);
                Say(context, user, greeting, $"{user} is logged in; keys and history are in {profile.Folder}");
                return 0;
            }
            catch (ChordChatException cause) when (cause.Code == "taken_over" && attempt == 1)
            {
                // The keys that were here are of a device replaced since: log in as a new one.
            }
            catch (ChordChatException cause) when (cause.Code == "refused" && attempt == 1)
            {
                // Perhaps nobody knows these keys: the node that was to store them may not have done so.
                await accounts.HandInAgainAsync(user, password, cancellation);
            }
        }
    }

    private static void Say(ScriptContext context, string user, ClusterGreeting greeting, string text)
    {
        context.Print(JsonLines.Account(user, greeting.Node, greeting.Fingerprint), text);
    }
}
