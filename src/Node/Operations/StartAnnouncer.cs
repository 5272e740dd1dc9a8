using ChordChat.Node.Base;
using ChordChat.Node.Identity;

namespace ChordChat.Node.Operations;

/// <summary>Says in the log that the node has started, and that it has stopped.</summary>
internal sealed partial class StartAnnouncer(
    LocalNode node, NodeIdentity identity, NodeOptions options, ILogger<StartAnnouncer> logger)
    : IHostedLifecycleService
{
    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken)
    {
        LogStarted(node.Self.Name, node.Self.Address, options.Listen, identity.Genesis.ShortName, node.Incarnation);
        return Task.CompletedTask;
    }

    public Task StoppingAsync(CancellationToken cancellationToken)
    {
        LogStopping(node.Self.Name);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    [LoggerMessage(6001, LogLevel.Information,
        "{Name} answers at {Address} (listening on {Listen}), cluster {Cluster}, start {Incarnation}")]
    private partial void LogStarted(string name, string address, HostPort listen, string cluster, ulong incarnation);

    [LoggerMessage(6002, LogLevel.Information, "{Name} is stopping")]
    private partial void LogStopping(string name);
}
