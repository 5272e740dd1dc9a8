using ChordChat.Sdk;

namespace ChordChat.Client.Scripting;

/// <summary>The operator's code, from wherever it was given; else a person is asked for it when a node wants
/// one.</summary>
/// <remarks>docs/operations.md, Who may register.</remarks>
internal static class InvitationAtHand
{
    public const string Option = "--invitation-file";
    public const string Variable = "CHORDCHAT_INVITATION";

    /// <param name="typed">On the command line.</param>
    /// <returns>Null when none was given.</returns>
    /// <exception cref="ChordChatException"><c>no_invitation</c>: the file cannot be read, or has no code.</exception>
    public static string? Find(string? typed = null, string? file = null)
    {
        if (typed is { Length: > 0 })
            return typed;
        if (file is not null)
            return SecretFile.Read(file, "invitation file", "no_invitation", Option).Trim() is { Length: > 0 } code
                ? code
                : throw new ChordChatException(
                    "no_invitation", $"the first line of the invitation file {file} is empty", $"check {Option}");
        return Environment.GetEnvironmentVariable(Variable)?.Trim() is { Length: > 0 } set ? set : null;
    }

    /// <summary>A node wants one, and nobody sits there who could type it.</summary>
    public static ChordChatException Missing(ChordChatException cause) => new(
        cause.Code, cause.Message, $"get a code from the operator, and set {Variable} or use {Option} FILE", cause);
}
