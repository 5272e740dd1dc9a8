using System.Diagnostics;
using System.Globalization;
using ChordChat.Tests.Nemesis;

const string Inside = "CHORDCHAT_NEMESIS_OWNER";
Options options;
try
{
    options = Options.Parse(args);
}
catch (FormatException wrong)
{
    Console.Error.WriteLine($"nemesis: {wrong.Message}; './test.sh --help' shows what there is.");
    return 64;
}

if (!Faults.MixNames.Contains(options.Mix))
{
    Console.Error.WriteLine($"There is no mix {options.Mix}; there are {string.Join(", ", Faults.MixNames)}.");
    return 64;
}

if (Environment.GetEnvironmentVariable(Inside) is { } owner)
{
    var network = new Network(int.Parse(owner, CultureInfo.InvariantCulture), options.Nodes);
    var folder = Path.Combine(Path.GetTempPath(), $"chordchat-nemesis-{owner}");
    var world = new World(options, network, folder, new Record());
    var race = new NameRace(folder, [.. world.Nodes.Select(node => node.Address)], world.Record, new(options.Seed));
    var well = options.IsForNumbers
        ? await new Numbers(options, network, world, folder).PlayAsync()
        : await new Run(options, network, world, race).PlayAsync();
    return well ? 0 : 1;
}

Console.WriteLine($"nemesis: seed {options.Seed}, {options.Nodes} nodes, {options.Minutes} minutes, mix {options.Mix}");
await Network.SweepAsync();
var home = Path.Combine(Path.GetTempPath(), $"chordchat-nemesis-{Environment.ProcessId}");
var net = new Network(Environment.ProcessId, options.Nodes);
var code = 1;
try
{
    await net.CreateAsync();
    var start = new ProcessStartInfo("ip", ["netns", "exec", net.Clients, Environment.ProcessPath!, .. args]);
    start.Environment[Inside] = $"{Environment.ProcessId}";
    using var inside = Process.Start(start)!;
    await inside.WaitForExitAsync();
    code = inside.ExitCode;
}
finally
{
    await net.DeleteAsync();
    if (code != 0 && Directory.Exists(home))
    {
        var kept = Path.Combine(options.Artifacts, $"seed-{options.Seed}-{options.Mix}");
        Directory.CreateDirectory(kept);
        foreach (var log in Directory.GetFiles(home, "*.log"))
            File.Copy(log, Path.Combine(kept, Path.GetFileName(log)), overwrite: true);
        Console.WriteLine($"nemesis: logs of the nodes and the fault script are in {kept}");
    }

    if (Directory.Exists(home))
        Directory.Delete(home, recursive: true);
}

return code;
