using System.CommandLine;
using System.Runtime.CompilerServices;
using ChordChat.Node.Base;
using ChordChat.Node.Identity;
using ChordChat.Node.Operations;
using ChordChat.Node.Storage;

namespace ChordChat.Node.Commands;

/// <summary>doctor: looks at everything a node needs, whether it runs or not, and says what to do.</summary>
internal static class DoctorCommand
{
    public static Command Create()
    {
        var data = CommandLine.DataOption("The node's folder to look at.");
        var command = new Command(
            "doctor", "Check folder, certificate, disk, network, other nodes, clocks and settings; say what to do.")
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

    public static async IAsyncEnumerable<Finding> CheckAsync(
        string data, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var identity = FolderChecks.Identity(data, out var found);
        foreach (var finding in found)
            yield return finding;
        var running = identity is not null && FolderChecks.IsRunning(data);
        using var peers = identity is null ? null : new PeerChecks(identity);
        var given = running ? await peers!.GivenAsync(data, cancellation) : null;
        var settings = CommandLine.Layer(data, given ?? []);
        var problems = new List<string>();
        var options = NodeSettings.Read(data, settings, problems);
        foreach (var problem in problems)
            yield return new(Verdict.Fail, "settings", problem, "mend appsettings.json or the environment");
        if (identity is null || peers is null)
            yield break;
        var addresses = PeerChecks.Known(data, options);
        await peers.LearnDenialsAsync(addresses, cancellation);
        foreach (var finding in FolderChecks.Certificates(identity, DateTimeOffset.UtcNow))
            yield return finding;
        yield return FolderChecks.Database(data, identity, running);
        foreach (var finding in MachineChecks.All(data, StorageOptions.Of(settings)))
            yield return finding;
        yield return running
            ? NetworkChecks.InUse(data, isAnswered: given is not null)
            : NetworkChecks.Port(settings["listen"] is null ? options.ListeningAt(AddressFile.Read(data)) : options);
        await foreach (var finding in NetworkChecks.MulticastAsync(options, cancellation))
            yield return finding;
        await foreach (var finding in peers.AllAsync(
            addresses, AddressFile.Read(data), ClusterSettings.Of(options.Preset, settings), cancellation))
            yield return finding;
    }
}
