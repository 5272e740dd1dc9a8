using ChordChat.Client.Scripting;
using ChordChat.Client.Terminal;
using ChordChat.Sdk;
using ChordChat.Sdk.Accounts;
using ChordChat.Sdk.Profiles;

namespace ChordChat.Client.Conversation;

/// <summary>Finds out who sits there: a known profile and its password, or a registration, or a login.</summary>
internal sealed class FrontDoor : IDisposable
{
    private readonly NewProfile _profile;

    private FrontDoor(NewProfile profile, UnlockedProfile me) => (_profile, Me) = (profile, me);

    public UnlockedProfile Me { get; }

    /// <summary>Asks until it is known who sits there. Without a person who could answer, the first mistake ends
    /// it.</summary>
    public static Task<FrontDoor> EnterAsync(ScriptContext context, CancellationToken cancellation) =>
        KnownUser(context) is { } known
            ? EnterAsync(context, known, IsNewHere(context, known) && AskWhetherNew(), cancellation)
            : UntilRightAsync(context, ["bad_name", "taken_name", "unknown_user"], () =>
            {
                if (ScriptContext.LocalUsers() is { Count: > 0 } users && context.NamedFolder is null
                    && AskWhich(users) is { } chosen)
                    return EnterAsync(context, chosen, register: false, cancellation);
                var register = AskWhetherNew();
                return EnterAsync(context, AskName(), register, cancellation);
            });

    public void Dispose()
    {
        Me.Dispose();
        _profile.Dispose();
    }

    private static async Task<FrontDoor> EnterAsync(
        ScriptContext context, string user, bool register, CancellationToken cancellation)
    {
        Accounts.CheckName(user);
        var profile = NewProfile.Open(context.FolderOf(user));
        try
        {
            return new FrontDoor(profile, await EnterAsync(context, profile.Profile, user, register, cancellation));
        }
        catch
        {
            profile.Dispose();
            throw;
        }
    }

    private static async Task<UnlockedProfile> EnterAsync(
        ScriptContext context, Profile profile, string user, bool register, CancellationToken cancellation)
    {
        if (profile is { HasDevice: true } && profile.User == user)
            return await UntilRightAsync(
                context, ["wrong_password"], () => Task.FromResult(profile.Unlock(Password(context, user))));
        context.Vouch(profile);
        using var accounts = new Accounts(profile, context.Search);
        var greeting = await accounts.GreetAsync(cancellation);
        Output.Say($"found {greeting.Node} at {greeting.Address}");
        ScriptContext.AskWhetherRight(accounts, greeting);
        if (greeting.Demo)
            Output.Say("this is a demo cluster: its passwords protect nothing");
        if (!register)
            return await UntilRightAsync(
                context, ["wrong_password"],
                () => accounts.LogInAsync(user, Password(context, user), cancellation));
        await accounts.CheckNameIsFreeAsync(user, cancellation);
        var password = await UntilRightAsync(
            context, ["weak_password", "bad_password"],
            () => Task.FromResult(context.NewPassword(user, greeting.Demo)));
        Output.Say("making keys ...");
        return await AccountCommands.RegisterAsync(context, accounts, user, password, cancellation);
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

    private static string Password(ScriptContext context, string user) => context.Password($"password for {user}: ");

    private static string AskName()
    {
        while (Prompt.Line("name: ") is { } typed)
            if (typed.Length > 0)
                return typed;
        throw new ChordChatException("usage", "no name was given", "start again and type a name");
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
        while (Prompt.Line($"who are you: {string.Join(", ", users)}, or somebody [e]lse? ") is { } answer)
            if (users.Contains(answer))
                return answer;
            else if (answer is "e" or "E" or "else")
                return null;
        throw NobodyAnswered();
    }

    private static bool AskWhetherNew()
    {
        while (Prompt.Line("[r]egister or [l]og in? ") is { } answer)
            if (answer.StartsWith('r') || answer.StartsWith('R'))
                return true;
            else if (answer.StartsWith('l') || answer.StartsWith('L'))
                return false;
        throw NobodyAnswered();
    }

    private static ChordChatException NobodyAnswered() => new(
        "usage", "the question was not answered", "start again and answer it, or see chordchat --help");
}
