namespace ChordChat.Tests.Unit;

/// <summary>Where the sources of this build stand.</summary>
internal static class Repository
{
    /// <summary>The folder of <c>ChordChat.sln</c>, above the folder that the tests run in.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>The C# sources below a folder of the repository; what a build made is left out.</summary>
    /// <returns>Paths from the root with forward slashes, sorted.</returns>
    public static IEnumerable<string> Sources(string folder) =>
        Directory.EnumerateFiles(Path.Combine(Root, folder), "*.cs", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(Root, file).Replace('\\', '/'))
            .Where(file => !file.Split('/').Any(part => part is "obj" or "bin"))
            .Order(StringComparer.Ordinal);

    public static string[] Lines(string source) => File.ReadAllLines(Path.Combine(Root, source));

    private static string FindRoot()
    {
        for (var folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(Path.Combine(folder, "ChordChat.sln")))
                return folder;
        }

        throw new InvalidOperationException($"No folder above {AppContext.BaseDirectory} holds ChordChat.sln.");
    }
}
