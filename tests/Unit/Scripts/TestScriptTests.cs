using System.Globalization;
using Xunit;

namespace ChordChat.Tests.Unit.Scripts;

/// <summary>CONTRIBUTING.md: Ctrl-C ends <c>./test.sh</c> and what it runs.</summary>
public sealed class TestScriptTests
{
    private const string Dotnet = """
        #!/bin/bash
        [[ $1 == test ]] || exit 0
        echo $$ >>"$FOLDER/pids"
        trap 'kill $!; exit 1' TERM
        sleep 600 &
        wait
        """;

    [Fact]
    public async Task Ctrl_C_ends_the_suite_and_the_script()
    {
        if (!OperatingSystem.IsLinux())
            return;
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        using var folder = new StandInCluster();
        folder.Write("tree/test.sh", await File.ReadAllTextAsync(Path.Combine(Repository.Root, "test.sh")));
        folder.Write("path/dotnet", Dotnet);
        var running = folder.Begin(
            new() { ["PATH"] = $"{folder["path"]}:{Environment.GetEnvironmentVariable("PATH")}" },
            "/bin/bash", folder["tree/test.sh"], "unit", "simulation");
        while (folder.Running().Count == 0)
            await Task.Delay(20, patience.Token);

        // What a terminal does: the signal goes to the whole process group.
        var told = await folder.RunAsync(
            [], "-c", "kill -INT -- \"-$0\"", running.Id.ToString(CultureInfo.InvariantCulture));
        Assert.True(told.Code == 0, $"{told}");
        await running.WaitForExitAsync(patience.Token);
        var said = await StandInCluster.EndAsync(running);

        Assert.Equal(130, said.Code);
        Assert.DoesNotContain("== Simulation", said.Output, StringComparison.Ordinal);
        Assert.Single(await File.ReadAllLinesAsync(folder["pids"]));
        Assert.Empty(folder.Running());
    }
}
