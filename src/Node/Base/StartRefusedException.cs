namespace ChordChat.Node.Base;

/// <summary>The program cannot do what was asked, and its user can do something about it.</summary>
/// <param name="code">What the process ends with.</param>
/// <param name="message">What is wrong and what to do, in words for an operator; no secret.</param>
internal sealed class StartRefusedException(ExitCode code, string message) : Exception(message)
{
    public ExitCode Code => code;

    /// <summary>Everything that is wrong with what was typed, a line each.</summary>
    public static StartRefusedException Usage(string what, IEnumerable<string> problems) =>
        new(ExitCode.Usage, string.Join("\n  ", problems.Prepend(what)));
}
