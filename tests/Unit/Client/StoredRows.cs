using System.Text;

namespace ChordChat.Tests.Unit.Client;

/// <summary>Rows in the file of a profile that nobody has open, as the disk has them.</summary>
/// <remarks>https://sqlite.org/fileformat.html, Record Format: the size of the header, a type for each column, the
/// values. The numbers 0 and 1 are types of their own, without a value.</remarks>
internal static class StoredRows
{
    public const byte Zero = 8;
    public const byte One = 9;

    /// <param name="key">ASCII; the first column of the row that has a value.</param>
    /// <param name="columns">How many the row has.</param>
    /// <returns>Of each copy of the row, where the type of each column stands.</returns>
    public static List<int[]> TypesOf(byte[] file, string key, int columns)
    {
        var bytes = Encoding.ASCII.GetBytes(key);
        var found = new List<int[]>();
        for (var at = file.AsSpan().IndexOf(bytes); at >= 0;)
        {
            for (var size = columns + 1; size < 64 && size <= at; size++)
                if (file[at - size] == size && Read(file, at - size + 1, at, columns) is { } types
                    && types.Select(type => file[type]).First(type => type is not (0 or Zero or One))
                        == 13 + 2 * bytes.Length)
                    found.Add(types);
            var next = file.AsSpan(at + 1).IndexOf(bytes);
            at = next < 0 ? -1 : at + 1 + next;
        }

        return found;
    }

    private static int[]? Read(byte[] file, int from, int to, int columns)
    {
        var types = new List<int>();
        for (var at = from; at < to; at++)
        {
            types.Add(at);
            while (file[at] >= 0x80 && at < to)
                at++;
        }

        return types.Count == columns ? [.. types] : null;
    }
}
