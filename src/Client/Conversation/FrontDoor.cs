using ChordChat.Client.Scripting;
using ChordChat.Client.Terminal;
using ChordChat.Sdk;
using ChordChat.Sdk.Accounts;
using ChordChat.Sdk.Profiles;

namespace ChordChat.Client.Conversation;

/// <summary>Finds out who sits there: a known profile and its password, or a registration, or a login.</summary>
internal sealed class FrontDoor : IDisposable
{
    private const string OtherName = "other_name";

    private readonly NewProfile _profile;

    private FrontDoor(NewProfile profile, UnlockedProfile me) => (_profile, Me) = (profile, me);

    public UnlockedProfile Me { get; }

    /// <summary>Asks until it is known who sits there. Without a person who could answer, the first mistake ends
    /// it.</summary>
    public static Task<FrontDoor> EnterAsync(ScriptContext context, CancellationToken cancellation) =>
        KnownUser(context) is { } known
            ? EnterAsync(
                context, known, IsNewHere(context, known) && AskWhetherNew(), wasAsked: false, cancellation)
            : UntilRightAsync(context, ["bad_name", "taken_name", "unknown_user", OtherName], () =>
            {
                if (context.NamedFolder is null && ScriptContext.LocalUsers() is { Count: > 0 } users
                    && AskWhich(users) is { } chosen)
                    return EnterAsync(context, chosen, register: false, wasAsked: true, cancellation);
                var register = AskWhetherNew();
                return EnterAsync(context, AskName(context), register, wasAsked: true, cancellation);
            });

    public void Dispose()
    {
        Me.Dispose();
        _profile.Dispose();
    }

    /// <param name="wasAsked">The name was typed here, so that another one can be.</param>
    private static async Task<FrontDoor> EnterAsync(
        ScriptContext context, string user, bool register, bool wasAsked, CancellationToken cancellation)
    {
        Accounts.CheckName(user);
        var profile = NewProfile.Open(context.FolderOf(user));
        try
        {
            return new FrontDoor(profile, await EnterAsync(
                context, profile.Profile, user, register, () => Password(context, user, wasAsked), cancellation));
        }
        catch
        {
            profile.Dispose();
            throw;
        }
    }

    private static async Task<UnlockedProfile> EnterAsync(
        ScriptContext context, Profile profile, string user, bool register, Func<string> askPassword,
        CancellationToken cancellation)
    {
        if (profile is { HasDevice: true } && profile.User == user)
            return await UntilRightAsync(
                context, ["wrong_password"], () => Task.FromResult(profile.Unlock(askPassword())));
        context.Vouch(profile);
        using var accounts = new Accounts(profile, context.Search);
        var greeting = await accounts.GreetAsync(cancellation);
        Output.Say($"found {greeting.Node} at {greeting.Address}");
        ScriptContext.AskWhetherRight(accounts, greeting);
        if (greeting.Demo)
            Output.Say("this is a demo cluster: its passwords protect nothing");
        if (!register)
            return await UntilRightAsync(
                context, ["wrong_password"], () => accounts.LogInAsync(user, askPassword(), cancellation));
        await accounts.CheckNameIsFreeAsync(user, cancellation);
        var password = await UntilRightAsync(
            context, ["weak_password", "bad_password"],
            () => Task.FromResult(context.NewPassword(user, greeting.Demo)));
        Output.Say("making keys ...");
        var registered = await AccountCommands.RegisterAsync(context, accounts, user, password, cancellation);
        Output.Say($"{user} is registered; in the chat, /help lists the commands");
        return registered;
    }

    /// <summary>Lets a person who sits there correct mistakes of these kinds.</summary>
    private static async Task<T> UntilRightAsync<T>(ScriptContext context, string[] mistakes, Func<Task<T>> attempt)
    {
        while (true)
            try
            {
                return await attempt();
            }
            catch (ChordChatException mistake) when (context.IsAttended && mistakes.Contains(mistake.Code))
            {
                Output.Say(ScriptContext.InWords(mistake));
            }
    }

    /// <exception cref="ChordChatException"><see cref="OtherName"/>: a person wants to give another name.</exception>
    private static string Password(ScriptContext context, string user, bool wasAsked)
    {
        if (!wasAsked || !context.IsAttended)
            return context.Password($"password for {user}: ");
        return context.Password($"password for {user} (empty: another name): ") is { Length: > 0 } password
            ? password
            : throw new ChordChatException(OtherName, "no password was typed", "begin again");
    }

    private static string AskName(ScriptContext context)
    {
        while (Prompt.Line("name: ") is { } typed)
            try
            {
                if (typed.Length > 0)
                {
                    Accounts.CheckName(typed);
                    return typed;
                }

                Output.Say("type a user name");
            }
            catch (ChordChatException mistake) when (context.IsAttended)
            {
                Output.Say(ScriptContext.InWords(mistake));
            }

        throw new ChordChatException("no_answer", "no name was given", "start again and type a name");
    }

    /// <summary>The user whose profile is here already; null when that must be asked.</summary>
    private static string? KnownUser(ScriptContext context)
    {
        if (context.User is { } named)
            return named;
        if (context.NamedFolder is { } folder)
        {
            if (!Profile.ExistsIn(folder))
                return null;
            using var profile = Profile.Open(folder);
            return profile.User;
        }

        // Whoever starts a second one beside the first is somebody else.
        return ScriptContext.LocalUsers() is [var only] && !Profile.IsInUse(Profile.DefaultFolder(only)) ? only : null;
    }

    private static bool IsNewHere(ScriptContext context, string user) =>
        context.IsAttended && !Profile.ExistsIn(context.FolderOf(user));

    /// <summary>One of those whose profiles are here; null for somebody else.</summary>
    private static string? AskWhich(IReadOnlyList<string> users)
    {
        var (other, hint) = users.Contains("e") ? ("somebody else ('else')", "else") : ("somebody [e]lse", "e");
        while (Prompt.Line($"who are you: {string.Join(", ", users)}, or {other}? ") is { } answer)
            if (users.Contains(answer))
                return answer;
            else if (answer is "e" or "E" or "else")
                return null;
            else
                Output.Say($"answer with one of these names, or with '{hint}' if you are somebody else");
        throw NobodyAnswered();
    }

    private static bool AskWhetherNew()
    {
        while (Prompt.Line("[r]egister or [l]og in? ") is { } answer)
            if (answer.StartsWith('r') || answer.StartsWith('R'))
                return true;
            else if (answer.StartsWith('l') || answer.StartsWith('L'))
                return false;
            else
                Output.Say("answer r to make a new account, or l to log in to one that you have");
        throw NobodyAnswered();
    }

    private static ChordChatException NobodyAnswered() => new(
        "no_answer", "the question was not answered", "start again and answer it, or see chordchat --help");
}
