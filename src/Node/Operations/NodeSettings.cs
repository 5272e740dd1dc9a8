using System.Collections.Immutable;
using System.Globalization;
using System.Net.Sockets;
using ChordChat.Node.Base;
using Serilog.Events;

namespace ChordChat.Node.Operations;

/// <summary>Every setting of a node: its one name everywhere, and what follows from it, in words.</summary>
/// <remarks>
/// A setting <c>multicast-group</c> is <c>"multicast-group"</c> in DATA/appsettings.json,
/// <c>CHORDCHAT_MULTICAST_GROUP</c>
/// in the environment and <c>--multicast-group</c> on the command line; the later of these wins.
/// </remarks>
internal static class NodeSettings
{
    public static readonly Setting Data = new(
        "data", "The node's folder (DIR/nodes/NAME). Everything the node is and keeps is in it: never copy it to run "
            + "twice.");

    public static readonly ImmutableArray<Setting> All =
    [
        new("listen", "Address and port to listen on. 0.0.0.0 serves every network of the machine, 127.0.0.1 only this "
            + "machine; port 0 takes any free one (it is written to DATA/address). Default 0.0.0.0:7401."),
        new("advertise", "host:port that this node announces, if it is reached at another address than its own "
            + "(containers, NAT). If it is wrong, others find this node but cannot reach it. Default: its own."),
        new("seed", "host:port of any other node, for networks without multicast; repeatable, and a DNS name may have "
            + "several addresses. It is needed only to find the cluster: any node will do, and it may stop later.",
            Repeatable: true),
        new("multicast", "Neither send nor listen for beacons; name a --seed then.",
            Flag: "no-multicast"),
        new("multicast-group", "Group and UDP port of the beacons. All nodes and clients of a network must agree on "
            + "it. Default 239.255.67.67:7400."),
        new("preset", "lan: nodes of one site; the tiles of a node whose process is gone are given to others after "
            + "15 s, those of one that is only silent after 45 s. wan: nodes far apart; after 120 s. All nodes of a "
            + "cluster should have the same. Default lan."),
        new("log", "text: one readable line for each event; json: one object a line, for collectors. Default text."),
        new("log-level", "Debug adds links that broke, audits of the ring and rows that a repair fetched; Information "
            + "says what an operator wants to know; Warning says only what somebody should look at. Default "
            + "Information."),
        new("health-port", "Port for plain HTTP /healthz and /readyz, for container engines and load balancers that "
            + "do not speak TLS. Default none: both are on the node's port anyway."),
        new("health-host", "Who may ask the health port: 127.0.0.1 this machine, 0.0.0.0 everybody (it tells nothing "
            + "secret, but each /readyz makes the cluster write). Default 127.0.0.1."),
    ];

    /// <summary>Layers the settings: defaults, DATA/appsettings.json, the environment, the command line.</summary>
    public static IConfigurationRoot Layer(string data, IReadOnlyDictionary<string, string?> commandLine) =>
        new ConfigurationBuilder()
            .AddJsonFile(Path.Combine(Path.GetFullPath(data), "appsettings.json"), optional: true)
            .AddEnvironmentVariables("CHORDCHAT_") // Sections of the folders: CHORDCHAT_RING__STABILIZEINTERVAL.
            .AddInMemoryCollection(All
                .Select(s => KeyValuePair.Create(s.Name, Environment.GetEnvironmentVariable(s.Variable)))
                .Where(pair => pair.Value is not null))
            .AddInMemoryCollection(commandLine)
            .Build();

    /// <summary>Reads the layered settings; what is wrong goes to <paramref name="problems"/>, all of it.</summary>
    public static NodeOptions Read(string data, IConfiguration settings, ICollection<string> problems)
    {
        var defaults = new NodeOptions { Data = data };
        var healthHost = settings["health-host"] ?? "127.0.0.1";
        var options = defaults with
        {
            Listen = HostPortOf("listen", settings, problems) ?? defaults.Listen,
            Advertise = HostPortOf("advertise", settings, problems, orHost: true),
            Seeds = Seeds(settings, problems),
            Multicast = Flag(settings["multicast"], problems),
            MulticastGroup = HostPortOf("multicast-group", settings, problems) ?? defaults.MulticastGroup,
            Preset = Choice(settings["preset"], "preset", defaults.Preset, problems),
            Log = Choice(settings["log"], "log", defaults.Log, problems),
            LogLevel = Choice<LogEventLevel>(settings["log-level"], "log-level", defaults.LogLevel, problems),
            Health = settings["health-port"] is { } port
                ? HostPortOf("health-port", $"{healthHost}:{port}", problems)
                : null,
        };
        if (options.MulticastGroup.Address is not { AddressFamily: AddressFamily.InterNetwork } group
            || group.GetAddressBytes()[0] is < 224 or > 239)
            problems.Add($"multicast-group is {options.MulticastGroup}; it must be 224.0.0.0 to 239.255.255.255 and a "
                + "port.");
        if (options.Listen.Address is null)
            problems.Add($"listen is {options.Listen}; it needs an IP address, for example 0.0.0.0:7401.");
        if (options.Health is { Address: null })
            problems.Add($"health-host is {healthHost}; it needs an IP address, for example 127.0.0.1.");
        foreach (var unknown in settings.GetChildren().Where(s => s.Value is not null && IsMisspelt(s.Key)))
            problems.Add($"'{unknown.Key}' is no setting; there are {string.Join(", ", All.Select(s => s.Name))}.");
        SettingSections.Check(settings, options.Preset, problems);
        return options;
    }

    public static bool IsSetting(string key) =>
        All.Any(setting => setting.Name.Equals(key, StringComparison.OrdinalIgnoreCase));

    // The environment has many other CHORDCHAT_ variables (a client's password, the folder): only files are checked.
    private static bool IsMisspelt(string key) =>
        !IsSetting(key)
        && Environment.GetEnvironmentVariable($"CHORDCHAT_{key.ToUpperInvariant()}") is null;

    private static ImmutableArray<HostPort> Seeds(IConfiguration settings, ICollection<string> problems)
    {
        var texts = settings["seed"] is { } line
            ? line.Split([',', ' '], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            : settings.GetSection("seed").GetChildren().Select(s => s.Value ?? "");
        return [.. texts.Select(text => HostPortOf("seed", text, problems)).OfType<HostPort>()];
    }

    private static HostPort? HostPortOf(
        string name, IConfiguration settings, ICollection<string> problems, bool orHost = false) =>
        settings[name] is not { } text ? null
        : orHost && HostPort.TryParse($"{text}:0", out var host) ? host
        : HostPortOf(name, text, problems);

    private static HostPort? HostPortOf(string name, string text, ICollection<string> problems)
    {
        if (HostPort.TryParse(text, out var result))
            return result;
        problems.Add($"{name} is '{text}'; it must look like 10.0.0.5:7401 or node3.lan:7401.");
        return null;
    }

    private static bool Flag(string? text, ICollection<string> problems)
    {
        if (text is null or "")
            return true;
        if (bool.TryParse(text, out var value))
            return value;
        problems.Add($"multicast is '{text}'; it must be true or false.");
        return true;
    }

    private static T Choice<T>(string? text, string name, T fallback, ICollection<string> problems)
        where T : struct, Enum
    {
        if (text is null)
            return fallback;
        if (Enum.TryParse<T>(text, ignoreCase: true, out var value) && Enum.IsDefined(value)
            && !int.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out _))
            return value;
        problems.Add($"{name} is '{text}'; it must be one of "
            + $"{string.Join(", ", Enum.GetNames<T>()).ToLowerInvariant()}.");
        return fallback;
    }
}

/// <summary>One setting.</summary>
/// <param name="Help">Its consequence in words.</param>
/// <param name="Flag">Name of the command-line switch that sets it to false, if it is a yes-or-no.</param>
internal sealed record Setting(string Name, string Help, bool Repeatable = false, string? Flag = null)
{
    public string Variable => $"CHORDCHAT_{Name.ToUpperInvariant().Replace('-', '_')}";
}
