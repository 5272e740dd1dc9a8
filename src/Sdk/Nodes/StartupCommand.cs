using ChordChat.Wire;

namespace ChordChat.Sdk.Nodes;

/// <summary>What a person has to type to start this machine's cluster or to look at it.</summary>
public static class StartupCommand
{
    /// <summary>Without them <c>startup.sh</c> would mean another cluster; its own hints name the same.</summary>
    private static readonly string[] Variables =
        ["CHORDCHAT_HOME", "COMPOSE_PROJECT_NAME", "CHORDCHAT_CLIENT", "CHORDCHAT_BUILT"];

    /// <summary>The whole command, with the variables that are set.</summary>
    /// <param name="words">As in <c>status</c>; nothing to start the cluster.</param>
    public static string Of(string words = "") => Of(words, Environment.GetEnvironmentVariable);

    internal static string Of(string words, Func<string, string?> variable) => string.Concat(
        Variables.Select(name => variable(name) is { Length: > 0 } value
            ? $"{name}={ShellWord.Of(value)} "
            : "").Append($"./startup.sh {words}")).TrimEnd();
}
