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

    /// <returns>Of each index row that ends with this key, where the types of its columns stand.</returns>
    public static List<int[]> IndexTypesOf(byte[] file, string key)
    {
        var bytes = Encoding.ASCII.GetBytes(key);
        var found = new List<int[]>();
        for (var at = file.AsSpan().IndexOf(bytes); at >= 0;)
        {
            for (var start = Math.Max(0, at - 60); start < at - 2; start++)
                for (var columns = 2; columns <= 5; columns++)
                    if (file[start] == columns + 1 && file[start + columns] == 13 + 2 * bytes.Length
                        && start + 1 + columns + file.AsSpan(start + 1, columns - 1).ToArray().Sum(Size) == at)
                        found.Add([.. Enumerable.Range(start + 1, columns)]);
            var next = file.AsSpan(at + 1).IndexOf(bytes);
            at = next < 0 ? -1 : at + 1 + next;
        }

        return found;
    }

    private static int Size(byte type) => type switch
    {
        0 or Zero or One => 0,
        <= 4 => type,
        5 => 6,
        6 or 7 => 8,
        >= 12 => (type - 12) / 2,
        _ => 10_000,
    };

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
