using System.Globalization;
using System.Text;
using ChordChat.Node.Base;

namespace ChordChat.Node.Identity;

/// <summary>DIR/cluster/viewers: for each name, the latest moment since when a viewer's certificate was made valid. The
/// clock that says "now" when one is revoked may be another than the one under which it was made.</summary>
/// <remarks>docs/protocol.md#ring-deny-list. A line for each name: "viewer 1800000000" (Unix time, s).</remarks>
internal sealed class ViewerFile(string path)
{
    public const string Name = "viewers";

    private static readonly CultureInfo Invariant = CultureInfo.InvariantCulture;

    /// <summary>The beginning of the world when none was made.</summary>
    public DateTimeOffset LatestOf(string name) =>
        Read().TryGetValue(name, out var since) ? since : DateTimeOffset.MinValue;

    public void Add(string name, DateTimeOffset since)
    {
        var all = Read();
        if (all.TryGetValue(name, out var latest) && latest >= since)
            return;
        all[name] = since;
        PrivateFiles.Write(path, Encoding.ASCII.GetBytes(string.Concat(all.Select(
            one => string.Create(Invariant, $"{one.Key} {one.Value.ToUnixTimeSeconds()}\n")))));
    }

    private SortedDictionary<string, DateTimeOffset> Read()
    {
        var all = new SortedDictionary<string, DateTimeOffset>(StringComparer.Ordinal);
        foreach (var line in File.Exists(path) ? File.ReadAllLines(path) : [])
            if (line.Split(' ') is [var name, var word]
                && long.TryParse(word, NumberStyles.None, Invariant, out var seconds)
                && seconds <= DateTimeOffset.MaxValue.ToUnixTimeSeconds())
                all[name] = DateTimeOffset.FromUnixTimeSeconds(seconds);
        return all;
    }
}
