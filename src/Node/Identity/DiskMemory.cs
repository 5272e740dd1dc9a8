using System.Globalization;
using System.Text;
using ChordChat.Core.Ring;
using ChordChat.Core.Tiles.Disks;
using ChordChat.Node.Base;
using ChordChat.Node.Storage;

namespace ChordChat.Node.Identity;

/// <summary>What this node has seen of the other nodes' disks, kept in DATA/sightings over a restart.</summary>
/// <remarks>A line a node: id, start, nonce, commits, checksum, and one more with a signature before the checksum for
/// the furthest that the node has signed; saved every few seconds when it has changed, and at the
/// end. A damaged line is left out: it would only make this node a worse witness.</remarks>
internal sealed partial class DiskMemory : ILoop
{
    private const string FileName = "sightings";
    private const int SignatureBytesMax = 128;
    private static readonly TimeSpan SaveEvery = TimeSpan.FromSeconds(5);
    private readonly Lock _turn = new();
    private readonly DiskWitness _witness = new();
    private readonly Dictionary<NodeId, SignedSighting> _signed = [];
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
            if (Parse(line) is var (node, seen, signature))
                if (signature.IsEmpty)
                    _witness.Remember(node, seen);
                else
                    _signed[node] = new(seen, signature);
    }

    /// <summary>The furthest that the node has signed of itself; whether the signature is good it knows best.</summary>
    public SignedSighting? SignedOf(NodeId node)
    {
        lock (_turn)
            return _signed.TryGetValue(node, out var signed) ? signed : null;
    }

    /// <summary>The start that serves said so itself, with its signature.</summary>
    public void Keep(NodeId node, DiskSighting said, ReadOnlyMemory<byte> signature)
    {
        lock (_turn)
            if (signature.Length is > 0 and <= SignatureBytesMax && _witness.Serves(node, said))
                _signed[node] = new(said, signature);
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

    public async Task RunAsync(CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            await Task.Delay(SaveEvery, _time, stopping).ContinueWith(_ => { }, TaskScheduler.Default);
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
                _witness.Seen.OrderBy(seen => seen.Key).Select(seen => Line(seen.Key, seen.Value, default) + "\n")
                    .Concat(_signed.OrderBy(signed => signed.Key).Select(
                        signed => Line(signed.Key, signed.Value.Seen, signed.Value.Signature) + "\n")));
        if (text == _saved)
            return;
        PrivateFiles.Write(_path, Encoding.ASCII.GetBytes(text));
        _saved = text;
    }

    private static string Line(NodeId node, DiskSighting seen, ReadOnlyMemory<byte> signature)
    {
        var text = string.Create(
            CultureInfo.InvariantCulture, $"{node} {seen.Incarnation} {seen.BootNonce} {seen.DurableSeq}");
        if (!signature.IsEmpty)
            text += $" {Convert.ToHexStringLower(signature.Span)}";
        return string.Create(CultureInfo.InvariantCulture, $"{text} {new RowChecksum().With(text).Value:x8}");
    }

    private static (NodeId Node, DiskSighting Seen, ReadOnlyMemory<byte> Signature)? Parse(string line)
    {
        var words = line.Split(' ');
        if (words is not [{ Length: 64 } id, var incarnation, var nonce, var commits, .. { Length: 1 or 2 }]
            || !id.All(char.IsAsciiHexDigit)
            || !ulong.TryParse(incarnation, NumberStyles.None, CultureInfo.InvariantCulture, out var start)
            || !ulong.TryParse(nonce, NumberStyles.None, CultureInfo.InvariantCulture, out var boot)
            || !ulong.TryParse(commits, NumberStyles.None, CultureInfo.InvariantCulture, out var durable))
            return null;
        var signature = Array.Empty<byte>();
        if (words.Length == 6
            && Convert.FromHexString(words[4], signature = new byte[words[4].Length / 2], out _, out _)
                != System.Buffers.OperationStatus.Done)
            return null;
        var node = NodeId.FromBytes(Convert.FromHexString(id));
        var seen = new DiskSighting(start, boot, durable);
        return Line(node, seen, signature) == line ? (node, seen, signature) : null;
    }

    [LoggerMessage(7010, LogLevel.Warning, "what this node has seen of the others' disks cannot be saved: {Why}")]
    private partial void LogNotSaved(string why);
}
