using System.Diagnostics;
using System.Text;

namespace ChordChat.Tests.EndToEnd;

/// <summary>Something that no operator may see, in every form in which it could lie in a file.</summary>
internal sealed record Secret(string What, byte[] Bytes)
{
    public static Secret Of(string what, string text) =>
        new(what, Encoding.UTF8.GetBytes(text)) { Text = text };

    private static readonly TimeSpan WrittenAnewMax = TimeSpan.FromSeconds(10);

    private string? Text { get; init; }

    public IEnumerable<(string Name, byte[] Bytes)> Forms()
    {
        yield return ("as it is", Bytes);
        if (Text is not null)
        {
            yield return ("in UTF-16LE", Encoding.Unicode.GetBytes(Text));
            yield return ("in UTF-16BE", Encoding.BigEndianUnicode.GetBytes(Text));
        }

        yield return ("in hex", Encoding.ASCII.GetBytes(Convert.ToHexStringLower(Bytes)));
        yield return ("in capital hex", Encoding.ASCII.GetBytes(Convert.ToHexString(Bytes)));
        for (var shift = 0; shift < 3; shift++)
        {
            var base64 = Base64(shift);
            yield return ($"in base64 shifted by {shift}", Encoding.ASCII.GetBytes(base64));
            if (base64.AsSpan().ContainsAny('+', '/'))
                yield return (
                    $"in base64url shifted by {shift}",
                    Encoding.ASCII.GetBytes(base64.Replace('+', '-').Replace('/', '_')));
        }
    }

    /// <summary>Where any form of any of these secrets stands in the files below these folders.</summary>
    public static IReadOnlyList<string> Find(IReadOnlyCollection<Secret> secrets, params string[] places)
    {
        var forms = secrets.SelectMany(s => s.Forms().Select(f => (What: $"{s.What} {f.Name}", f.Bytes))).ToList();
        var found = new List<string>();
        // An empty file tells nothing; a node's lock is one, and nobody else may open it.
        foreach (var file in places.SelectMany(Files)
            .Where(file => new FileInfo(file) is { Exists: true, Length: > 0 }))
        {
            var content = Read(file);
            found.AddRange(forms.Where(f => content.AsSpan().IndexOf(f.Bytes) >= 0).Select(f => $"{f.What} in {file}"));
        }

        return found;
    }

    private static IEnumerable<string> Files(string place) => Directory.Exists(place)
        ? Directory.EnumerateFiles(place, "*", SearchOption.AllDirectories)
        : [place];

    /// <summary>Also what a running program holds open. A file that a node is writing anew is its own alone until it is
    /// whole, and may have another name then.</summary>
    private static byte[] Read(string file)
    {
        for (var waited = Stopwatch.StartNew(); ;)
            try
            {
                using var stream = new FileStream(
                    file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
                using var content = new MemoryStream();
                stream.CopyTo(content);
                return content.ToArray();
            }
            catch (FileNotFoundException)
            {
                return [];
            }
            catch (IOException) when (waited.Elapsed < WrittenAnewMax)
            {
                Thread.Sleep(10);
            }
    }

    /// <summary>The characters that these bytes alone decide when they begin at this byte of a group of three.
    /// </summary>
    private string Base64(int shift)
    {
        byte[] shifted = [.. new byte[shift], .. Bytes];
        var first = (shift * 8 + 5) / 6;
        return Convert.ToBase64String(shifted)[first..(shifted.Length * 8 / 6)];
    }
}
