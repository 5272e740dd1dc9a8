using System.Text.Json;

namespace ChordChat.Tests.Unit.Crypto;

/// <summary>Finds known answers in the tree, and Wycheproof's files next to it.</summary>
internal static class TestFiles
{
    private const string WycheproofVariable = "CHORDCHAT_VECTORS";

    public static string Root { get; } = FindRoot();

    /// <summary>The folder of Wycheproof's files; null where it is missing.</summary>
    public static string? Wycheproof { get; } = FindWycheproof();

    public static JsonElement KnownAnswers(string name) =>
        Parse(Path.Combine(Root, "tests", "Unit", "Crypto", "vectors", name));

    public static JsonElement Parse(string path)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(path));
        return document.RootElement.Clone();
    }

    public static byte[] Hex(this JsonElement element, params string[] path)
    {
        foreach (var name in path)
            element = element.GetProperty(name);
        return Convert.FromHexString(element.GetString()!);
    }

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "ChordChat.sln")))
            folder = folder.Parent;
        return folder?.FullName ?? throw new InvalidOperationException("no ChordChat.sln above the tests");
    }

    private static string? FindWycheproof()
    {
        var vectors = Environment.GetEnvironmentVariable(WycheproofVariable)
            ?? Path.Combine(Root, "..", "shared", "vectors");
        var folder = Path.Combine(vectors, "wycheproof");
        return Directory.Exists(folder) ? folder : null;
    }
}
