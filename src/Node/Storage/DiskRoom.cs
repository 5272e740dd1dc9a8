using System.Globalization;
using ChordChat.Node.Base;

namespace ChordChat.Node.Storage;

/// <summary>Whether more than the reserve is free on the volume of the node's folder. It is looked at every two
/// seconds, and with less this node takes nothing new.</summary>
/// <remarks>docs/protocol.md#room-on-the-disk.</remarks>
internal sealed partial class DiskRoom : ILoop
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(2);

    private readonly StorageOptions _options;
    private readonly VolumeProbe _probe;
    private readonly TimeProvider _time;
    private readonly ILogger<DiskRoom> _logger;
    private readonly LineBudget _lines = new(1);
    private volatile string? _shortage;

    public DiskRoom(StorageOptions options, VolumeProbe probe, TimeProvider time, ILogger<DiskRoom> logger)
    {
        (_options, _probe, _time, _logger) = (options, probe, time, logger);
        Look();
    }

    /// <summary>Null when there is room, otherwise what is missing, in words.</summary>
    public string? Shortage => _shortage;

    /// <summary>What is wrong with so much room, in words; null when nothing is.</summary>
    public static string? ShortageIn(VolumeSpace space, StorageOptions options)
    {
        var reserve = options.ReserveOf(space.Bytes);
        return space.FreeBytes >= reserve ? null : string.Create(
            CultureInfo.InvariantCulture,
            $"{space.FreeBytes >> 20} MiB are free on the disk, less than the reserve of {reserve >> 20} MiB");
    }

    public async Task RunAsync(CancellationToken stopping)
    {
        while (true)
        {
            await Task.Delay(Every, _time, stopping);
            Look();
        }
    }

    private void Look()
    {
        var was = _shortage;
        try
        {
            _shortage = ShortageIn(_probe(), _options);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return; // What cannot be looked at is as it was; a write that fails says more.
        }

        if (_shortage is { } shortage && _lines.Allows((long)_time.GetElapsedTime(0).TotalMilliseconds, out _))
            LogShort(shortage);
        else if (_shortage is null && was is not null)
            LogRoomAgain();
    }

    [LoggerMessage(2003, LogLevel.Error,
        "{Shortage}: this node keeps no new messages or accounts until there is room. It goes on with those it has, "
        + "and other nodes keep new ones. Make room")]
    private partial void LogShort(string shortage);

    [LoggerMessage(2004, LogLevel.Information, "there is room on the disk again: this node keeps new messages")]
    private partial void LogRoomAgain();
}
