namespace ChordChat.Node.Commands;

/// <summary>One line of the doctor's.</summary>
/// <param name="Text">What was found.</param>
/// <param name="Remedy">What to do; empty when all is well.</param>
internal sealed record Finding(Verdict Verdict, string What, string Text, string Remedy = "")
{
    public override string ToString()
    {
        var remedy = Remedy.Length > 0 ? $" -> {Remedy}" : "";
        return $"{Verdict.ToString().ToLowerInvariant(),-4}  {What,-12}  {Text}{remedy}";
    }
}

internal enum Verdict
{
    Ok,
    Warn,
    Fail,
}
