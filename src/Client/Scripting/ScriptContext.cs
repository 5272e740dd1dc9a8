using ChordChat.Client.Conversation;
using ChordChat.Client.Terminal;
using ChordChat.Sdk;
using ChordChat.Sdk.Accounts;
using ChordChat.Sdk.Messages;
using ChordChat.Sdk.Nodes;
using ChordChat.Sdk.Profiles;

namespace ChordChat.Client.Scripting;

/// <summary>What every command was given: where the profile lies, which nodes to ask, how to get the
/// password.</summary>
internal sealed record ScriptContext(
    bool Json, string? ProfileFolder, IReadOnlyList<string> Nodes, string? PasswordFile, string? User,
    string? Trust = null)
{
    public NodeSearch Search => NodeSearch.FromVariables(Nodes);

    /// <summary>The folder that was named for this user, or the default one.</summary>
    public string FolderOf(string user) => NamedFolder ?? Profile.DefaultFolder(user);

    /// <summary>The folder that <c>--profile</c> or CHORDCHAT_PROFILE names.</summary>
    public string? NamedFolder => ProfileFolder
        ?? (Environment.GetEnvironmentVariable("CHORDCHAT_PROFILE") is { Length: > 0 } folder ? folder : null);

    /// <summary>Whether somebody sits there who types passwords and can correct a mistake.</summary>
    public bool IsAttended =>
        PasswordFile is null && PasswordVariable is not { Length: > 0 } && !Console.IsInputRedirected;

    private static string? PasswordVariable => Environment.GetEnvironmentVariable("CHORDCHAT_PASSWORD");

    /// <summary>The profile to work with, which must be there.</summary>
    /// <exception cref="ChordChatException">There is none, or several and nobody said which.</exception>
    public Profile OpenProfile()
    {
        var folder = NamedFolder ?? (User is { } user ? Profile.DefaultFolder(user) : OnlyProfile());
        if (!Profile.ExistsIn(folder))
            throw NobodyLoggedIn(folder);
        var profile = Profile.Open(folder);
        if (User is { } expected && profile.User is { } owner && owner != expected)
        {
            profile.Dispose();
            throw new ChordChatException(
                "other_profile", $"{folder} is the profile of {owner}, not of {expected}", "name the right --profile");
        }

        return profile;
    }

    /// <summary>The fingerprint that <c>--trust</c> or CHORDCHAT_TRUST names.</summary>
    private string? NamedTrust => Trust
        ?? (Environment.GetEnvironmentVariable("CHORDCHAT_TRUST") is { Length: > 0 } fingerprint ? fingerprint : null);

    /// <summary>Trusts the cluster that the user named by its fingerprint, and no other, before nodes are looked for.
    /// </summary>
    public void Vouch(Profile profile)
    {
        if (NamedTrust is { } fingerprint)
            profile.Trust.Only(fingerprint);
    }

    /// <summary>Asks a person who sits there whether a cluster is the right one. Without a person nothing is agreed
    /// to, and registering or logging in says so.</summary>
    /// <exception cref="ChordChatException"><c>not_trusted</c>: the person says no.</exception>
    public static void AskWhetherRight(Accounts accounts, ClusterGreeting greeting)
    {
        if (!greeting.FirstSight || Console.IsInputRedirected)
            return;
        Output.Say($"this machine has not used the cluster at {greeting.Address} before; its fingerprint is");
        Output.Say($"  {greeting.Fingerprint}");
        Output.Say("compare it with another user or the operator ('chordchat login NAME --json' shows it): if you "
            + "accept a wrong one, a stranger gets your login secret");
        if (Prompt.Line("is it the right one? [y]es or [n]o: ") is not ['y' or 'Y', ..])
            throw new ChordChatException(
                "not_trusted", "you did not accept this cluster; nothing was sent", "name another node with --node");
        accounts.Agree();
    }

    /// <summary>Opens a profile with its user's password, as <see cref="Password"/> gets it.</summary>
    public UnlockedProfile Unlock(Profile profile) => profile.Unlock(Password($"password for {profile.User}: "));

    /// <summary>The password from the file or the environment; asks for it when a person sits there.</summary>
    /// <exception cref="ChordChatException"><c>no_password</c>, <c>bad_password</c>.</exception>
    public string Password(string prompt) => PasswordAtHand ?? (Console.IsInputRedirected
        ? throw new ChordChatException(
            "no_password", "no password was given", "use --password-file or set CHORDCHAT_PASSWORD")
        : Whole(Prompt.Password(prompt), "what was typed"));

    /// <summary>The password from the file or the environment; null when neither was named.</summary>
    /// <exception cref="ChordChatException"><c>no_password</c>: the file cannot be read. <c>bad_password</c>: the
    /// variable is not UTF-8.</exception>
    public string? PasswordAtHand
    {
        get
        {
            if (PasswordFile is { } path)
                return SecretFile.Read(path, "password file", "no_password", "--password-file");
            return PasswordVariable is { Length: > 0 } password ? Whole(password, "CHORDCHAT_PASSWORD") : null;
        }
    }

    /// <summary>Bytes that are not UTF-8 have become the same letter, so that other passwords would do as well, and the
    /// right one only where it is written in the same wrong way.</summary>
    private static string Whole(string password, string source) => !password.Contains(Replaced.Letter)
        ? password
        : throw new ChordChatException(
            "bad_password", $"{source} is not UTF-8", "give the password as UTF-8, for example in a --password-file");

    /// <summary>A password that somebody is about to choose; who types it types it twice.</summary>
    /// <exception cref="ChordChatException"><c>weak_password</c> or <c>bad_password</c>.</exception>
    public string NewPassword(string user, bool demo)
    {
        var rule = demo ? "a demo cluster takes any" : "at least 10 characters; five random words are good";
        var password = Password($"new password for {user} ({rule}): ");
        Accounts.CheckPassword(password, user, demo);
        return !IsAttended || Password("the same password again: ") == password
            ? password
            : throw new ChordChatException("bad_password", "the two passwords differ", "type it again");
    }

    /// <param name="text">Whatever people or nodes wrote in it is made harmless; rows after the first are
    /// indented, so that none passes for another line.</param>
    public void Print(string json, string text) => Print(json, new Span(text, Style.Plain));

    /// <inheritdoc cref="Print(string, string)"/>
    public void Print(string json, params Span[] text)
    {
        if (Json)
            Console.Out.WriteLine(json);
        else
            Output.Print(new StyledLine(4, text));
    }

    /// <summary>The line before a message that says what is missing there, if anything is; the JSON form says it in the
    /// message.</summary>
    public void PrintMissing(ChatMessage message)
    {
        if (!Json)
            foreach (var line in Transcript.Missing(message))
                Print("", $"({line})");
    }

    /// <summary>Says on standard error what went wrong.</summary>
    public void Complain(ChordChatException cause) => Complain(Json, cause);

    /// <inheritdoc cref="Complain(ChordChatException)"/>
    public static void Complain(bool json, ChordChatException cause)
    {
        if (json)
            Output.SayWhole(JsonLines.Error(cause));
        else
            Output.Say($"chordchat: {InWords(cause)}");
    }

    /// <summary>What happened and what to do, as one sentence; what other programs' parts say ends in a full
    /// stop.</summary>
    public static string InWords(ChordChatException cause) => $"{cause.Message.TrimEnd('.')}; {cause.Hint}";

    public static IReadOnlyList<string> LocalUsers()
    {
        var root = Path.GetDirectoryName(Profile.DefaultFolder("x"))!;
        if (!Directory.Exists(root))
            return [];
        try
        {
            return [.. Directory.GetDirectories(root).Where(Profile.ExistsIn).Select(Path.GetFileName).Order()!];
        }
        catch (UnauthorizedAccessException cause)
        {
            throw new ChordChatException(
                "profile_not_writable", $"{root} cannot be read: {cause.Message}",
                "check the folder's owner and permissions, or name another folder with --profile", cause);
        }
    }

    private static string OnlyProfile() => LocalUsers() switch
    {
        [var user] => Profile.DefaultFolder(user),
        [] => throw NobodyLoggedIn("~/.chordchat"),
        var users => throw new ChordChatException(
            "which_user", $"there are several profiles here: {string.Join(", ", users)}", "say which with --user NAME"),
    };

    private static ChordChatException NobodyLoggedIn(string folder) => new(
        "not_logged_in", $"there is no profile in {folder}",
        "register with 'chordchat register NAME' or log in with 'chordchat login NAME'");
}
