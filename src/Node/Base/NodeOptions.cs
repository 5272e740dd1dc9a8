using System.Collections.Immutable;
using Serilog.Events;

namespace ChordChat.Node.Base;

/// <summary>How one node runs. Each value's consequence stands in NodeSettings, which --help prints.</summary>
internal sealed record NodeOptions
{
    /// <summary>The node's folder: identity, database, address.</summary>
    public required string Data { get; init; }

    public HostPort Listen { get; init; } = new("0.0.0.0", 7401);

    /// <summary>Null: the machine's own address. Port 0: the port that is listened on.</summary>
    public HostPort? Advertise { get; init; }

    public ImmutableArray<HostPort> Seeds { get; init; } = [];

    public bool Multicast { get; init; } = true;

    public HostPort MulticastGroup { get; init; } = new("239.255.67.67", 7400);

    /// <summary>How soon silence is taken for death.</summary>
    public Preset Preset { get; init; } = Preset.Lan;

    public LogFormat Log { get; init; } = LogFormat.Text;

    public LogEventLevel LogLevel { get; init; } = LogEventLevel.Information;

    /// <summary>Where a node listens that is told nothing now and was at this address when it ran last: the same port,
    /// and the same network unless it was told an address of somebody else's (NAT).</summary>
    public NodeOptions ListeningAt(string? address) =>
        address is null || !HostPort.TryParse(address, out var last) ? this
        : last.Address is { } ip && ListenSockets.IsOwn(ip) ? this with { Listen = last }
        : this with { Listen = Listen with { Port = last.Port } };

    /// <summary>Plain HTTP with /healthz and /readyz only; null for none, 0 for any free port.</summary>
    public HostPort? Health { get; init; }
}

internal enum Preset
{
    /// <summary>One site.</summary>
    Lan,

    /// <summary>Sites far apart.</summary>
    Wan,
}

internal enum LogFormat
{
    Text,
    Json,
}
