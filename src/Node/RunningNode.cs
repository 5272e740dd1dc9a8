using ChordChat.Node.Base;
using ChordChat.Node.Identity;
using ChordChat.Node.Operations;
using ChordChat.Node.Storage;
using Microsoft.Data.Sqlite;

namespace ChordChat.Node;

/// <summary>A node from its folder to its open port; tests run several in one process.</summary>
internal sealed class RunningNode : IAsyncDisposable
{
    private readonly DataFolder _folder;
    private readonly WebApplication _app;

    private RunningNode(DataFolder folder, WebApplication app, LocalNode node)
    {
        _folder = folder;
        _app = app;
        Node = node;
    }

    public LocalNode Node { get; }

    public Departure Departure => Services.GetRequiredService<Departure>();

    public IServiceProvider Services => _app.Services;

    /// <summary>Opens the folder, takes the port, starts everything, and writes DATA/address.</summary>
    /// <param name="others">See <see cref="Program.Build"/>.</param>
    /// <exception cref="StartRefusedException">The folder or the port cannot be used.</exception>
    public static async Task<RunningNode> StartAsync(
        NodeOptions options, IConfiguration settings, CancellationToken cancellation,
        Action<IServiceCollection>? others = null)
    {
        var folder = DataFolder.Open(options.Data);
        WebApplication? app = null;
        try
        {
            using var sockets = new ListenSockets(options);
            var time = TimeProvider.System;
            var node = new LocalNode(
                folder.Identity.Self, sockets.AddressToTell(options), folder.Incarnation, time.GetUtcNow());
            app = Program.Build(options, settings, folder, node, sockets, others);
            await app.StartAsync(cancellation);
            AddressFile.Write(folder.Path, node.Self.Address);
            return new(folder, app, node);
        }
        catch (Exception cause)
        {
            if (app is not null)
                await app.DisposeAsync();
            folder.Dispose();
            if (cause is SqliteException storage)
                throw folder.Database.Refusal(storage);
            if (cause is DamagedRowException or InvalidDataException)
                throw new StartRefusedException(ExitCode.Damaged, $"{folder.Path}: {cause.Message}.");
            throw;
        }
    }

    /// <summary>Ends when a signal (or the program itself) asks the node to stop and it has stopped.</summary>
    public Task WaitForStopAsync() => _app.WaitForShutdownAsync();

    public async ValueTask DisposeAsync()
    {
        if (!_app.Lifetime.ApplicationStopped.IsCancellationRequested)
            await _app.StopAsync();
        await _app.DisposeAsync();
        _folder.Dispose();
    }
}
