using System.Globalization;
using System.Text;
using ChordChat.Core.Replication;
using ChordChat.Core.Ring;
using ChordChat.Node.Storage;

namespace ChordChat.Node.Admission;

/// <summary>What this node has seen of the other nodes' disks, kept in DATA/sightings over a restart.</summary>
/// <remarks>A line a node: id, start, nonce, commits, checksum; saved every few seconds when it has changed, and at the
/// end. A damaged line is left out: it would only make this node a worse witness.</remarks>
internal sealed partial class DiskMemory : BackgroundService
{
    private const string FileName = "sightings";
    private static readonly TimeSpan SaveEvery = TimeSpan.FromSeconds(5);
    private readonly Lock _turn = new();
    private readonly DiskWitness _witness = new();
    private readonly string _path;
    private readonly TimeProvider _time;
    private readonly ILogger<DiskMemory> _logger;
    private string _saved = "";

    public DiskMemory(DataFolder folder, TimeProvider time, ILogger<DiskMemory> logger)
    {
        (_path, _time, _logger) = (Path.Combine(folder.Path, FileName), time, logger);
        if (!File.Exists(_path))
            return;
        foreach (var line in File.ReadLines(_path))
            if (Parse(line) is var (node, seen))
                _witness.Remember(node, seen);
    }

    public DiskSighting? Of(NodeId node)
    {
        lock (_turn)
            return _witness.Of(node);
    }

    /// <summary>Whether the node may speak as far as this one knows.</summary>
    public bool MaySpeak(NodeId node, DiskHistory told)
    {
        lock (_turn)
            return _witness.Judge(node, told) == DiskVerdict.Whole;
    }

    /// <summary>The node serves with this history from now on. False: it must not.</summary>
    public bool Admit(NodeId node, DiskHistory told)
    {
        lock (_turn)
            return _witness.Admit(node, told) == DiskVerdict.Whole;
    }

    /// <summary>The node said how far its disk is. False: another start of it serves.</summary>
    public bool Follow(NodeId node, DiskSighting now)
    {
        lock (_turn)
        {
            _witness.Saw(node, now);
            return _witness.Serves(node, now);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            await Task.Delay(SaveEvery, _time, stoppingToken).ContinueWith(_ => { }, TaskScheduler.Default);
            try
            {
                Save();
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                LogNotSaved(e.Message);
            }
        }
    }

    private void Save()
    {
        string text;
        lock (_turn)
            text = string.Concat(
                _witness.Seen.OrderBy(seen => seen.Key).Select(seen => Line(seen.Key, seen.Value) + "\n"));
        if (text == _saved)
            return;
        PrivateFiles.Write(_path, Encoding.ASCII.GetBytes(text));
        _saved = text;
    }

    private static string Line(NodeId node, DiskSighting seen)
    {
        var text = string.Create(
            CultureInfo.InvariantCulture, $"{node} {seen.Incarnation} {seen.BootNonce} {seen.DurableSeq}");
        return string.Create(CultureInfo.InvariantCulture, $"{text} {new RowChecksum().With(text).Value:x8}");
    }

    private static (NodeId Node, DiskSighting Seen)? Parse(string line)
    {
        if (line.Split(' ') is not [{ Length: 64 } id, var incarnation, var nonce, var commits, _]
            || !id.All(char.IsAsciiHexDigit)
            || !ulong.TryParse(incarnation, NumberStyles.None, CultureInfo.InvariantCulture, out var start)
            || !ulong.TryParse(nonce, NumberStyles.None, CultureInfo.InvariantCulture, out var boot)
            || !ulong.TryParse(commits, NumberStyles.None, CultureInfo.InvariantCulture, out var durable))
            return null;
        var read = (NodeId.FromBytes(Convert.FromHexString(id)), new DiskSighting(start, boot, durable));
        return Line(read.Item1, read.Item2) == line ? read : null;
    }

    [LoggerMessage(7010, LogLevel.Warning, "what this node has seen of the others' disks cannot be saved: {Why}")]
    private partial void LogNotSaved(string why);
}
