namespace ChordChat.Tests.Checkers;

/// <summary>In the end all who were in a conversation have the same of it, in the same order.</summary>
public static class Transcripts
{
    /// <summary>What is wrong with one conversation, in words, or null.</summary>
    /// <param name="transcripts">For each reader the ids of the messages as shown there, first to last.</param>
    public static string? Fault(string conversation, IReadOnlyDictionary<string, IReadOnlyList<string>> transcripts)
    {
        var (reader, longest) = transcripts.MaxBy(transcript => transcript.Value.Count);
        foreach (var (other, ids) in transcripts)
            for (var i = 0; i < longest.Count; i++)
                if (i >= ids.Count || ids[i] != longest[i])
                    return $"{conversation}: entry {i} is {longest[i]} at {reader} and "
                        + $"{(i < ids.Count ? ids[i] : "missing")} at {other} ({longest.Count} and {ids.Count} in all)";
        return null;
    }
}
