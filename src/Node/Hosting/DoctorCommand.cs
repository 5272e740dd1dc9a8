using System.CommandLine;
using ChordChat.Node.Storage;

namespace ChordChat.Node.Hosting;

/// <summary>doctor: looks at everything a node needs, whether it runs or not, and says what to do.</summary>
internal static class DoctorCommand
{
    public static Command Create()
    {
        var data = RunCommand.DataOption("The node's folder to look at.");
        var command = new Command(
            "doctor", "Check folder, certificate, disk, network, clock and limits; say what to do.")
        {
            data,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            var worst = Verdict.Ok;
            await foreach (var finding in CheckAsync(parsed.GetRequiredValue(data), cancellation))
            {
                Console.WriteLine(finding);
                worst = finding.Verdict > worst ? finding.Verdict : worst;
            }

            return (int)(worst == Verdict.Fail ? ExitCode.Unhealthy : ExitCode.Done);
        });
        return command;
    }

    private static async IAsyncEnumerable<Finding> CheckAsync(
        string data, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation)
    {
        var problems = new List<string>();
        var settings = NodeSettings.Layer(data, new Dictionary<string, string?>());
        var options = NodeSettings.Read(data, settings, problems);
        foreach (var problem in problems)
            yield return new(Verdict.Fail, "settings", problem, "mend appsettings.json or the environment");
        var identity = FolderChecks.Identity(data, out var found);
        foreach (var finding in found)
            yield return finding;
        if (identity is null)
            yield break;
        var running = FolderChecks.IsRunning(data);
        yield return FolderChecks.Database(data, identity, running);
        foreach (var finding in MachineChecks.All(data, StorageOptions.Of(settings)))
            yield return finding;
        if (!running)
            yield return NetworkChecks.Port(options);
        await foreach (var finding in NetworkChecks.MulticastAsync(options, cancellation))
            yield return finding;
        await foreach (var finding in NetworkChecks.NodesAsync(data, options, identity, cancellation))
            yield return finding;
    }
}
