using System.Diagnostics;

namespace ChordChat.Bench.Nodes;

/// <summary>Release builds of our programs, made when they are missing or older than their sources.</summary>
internal static class BuiltProgram
{
    private static readonly string[] SourceFolders = ["src", "protos"];

    public static string Root { get; } = FindRoot();

    /// <summary>What the generator makes once and keeps.</summary>
    public static string Artifacts => Path.Combine(Root, "artifacts");

    public static Task<string> NodeAsync(CancellationToken cancellation) =>
        FindAsync("chordchat-node", "Node", cancellation);

    public static Task<string> VisualizerAsync(CancellationToken cancellation) =>
        FindAsync("chordchat-visualizer", "Visualizer", cancellation);

    /// <summary>Runs a program to its end.</summary>
    /// <exception cref="BenchFailedException">It ended with another code than 0.</exception>
    public static async Task RunAsync(string program, string[] arguments, CancellationToken cancellation)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var said = process.StandardOutput.ReadToEndAsync(cancellation);
        var complained = process.StandardError.ReadToEndAsync(cancellation);
        await process.WaitForExitAsync(cancellation);
        if (process.ExitCode != 0)
            throw new BenchFailedException(
                $"{Path.GetFileName(program)} {arguments[0]} gave {process.ExitCode}: {await said}{await complained}");
    }

    private static async Task<string> FindAsync(string name, string project, CancellationToken cancellation)
    {
        var folder = Environment.GetEnvironmentVariable("CHORDCHAT_BUILT") ?? Path.Combine(Artifacts, "bin");
        var program = Path.Combine(folder, name);
        var library = program + ".dll";
        if (File.Exists(program) && File.GetLastWriteTimeUtc(library) >= NewestSource())
            return program;
        await Console.Error.WriteLineAsync($"building {name} ...");
        await RunAsync(
            "dotnet",
            ["publish", Path.Combine(Root, "src", project), "-c", "Release", "-o", folder, "-nologo", "-v", "q"],
            cancellation);
        File.SetLastWriteTimeUtc(library, DateTime.UtcNow);
        return program;
    }

    private static DateTime NewestSource() => SourceFolders
        .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(Root, folder), "*", SearchOption.AllDirectories))
        .Where(file => Path.GetExtension(file) is ".cs" or ".csproj" or ".proto" && !IsMade(file))
        .Max(File.GetLastWriteTimeUtc);

    private static bool IsMade(string file) =>
        file.Split(Path.DirectorySeparatorChar).Any(part => part is "obj" or "bin");

    private static string FindRoot()
    {
        foreach (var start in (string[])[Environment.CurrentDirectory, AppContext.BaseDirectory])
            for (var folder = start; folder is not null; folder = Path.GetDirectoryName(folder))
                if (File.Exists(Path.Combine(folder, "ChordChat.sln")))
                    return folder;
        throw new BenchFailedException("run it inside the repository: it builds and starts the nodes from there");
    }
}
