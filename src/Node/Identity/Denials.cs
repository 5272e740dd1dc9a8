using System.Collections.Concurrent;
using System.Security.Cryptography.X509Certificates;
using ChordChat.Node.Base;
using Microsoft.AspNetCore.Connections;

namespace ChordChat.Node.Identity;

/// <summary>The newest deny list that this node knows: in force here at once, and on its disk.</summary>
/// <remarks>docs/protocol.md#ring-deny-list. Safe for threads.</remarks>
internal sealed partial class Denials(
    ClusterTrust trust, Genesis genesis, DataFolder folder, LocalNode node, IHostApplicationLifetime life,
    TimeProvider time, ILogger<Denials> logger) : ILoop
{
    private static readonly TimeSpan StorePause = TimeSpan.FromSeconds(10);

    private readonly Lock _turn = new();
    private readonly Lock _disk = new();
    private readonly LineBudget _unstoredLines = new(1);
    private readonly ConcurrentDictionary<ConnectionContext, X509Certificate2> _open = new();
    private byte[]? _signed = ReadFile(folder.Path);
    private byte[]? _unstored;
    private bool _hasFailed;

    /// <summary>Somebody more is denied; on the thread of whoever brought the list.</summary>
    public event Action<DenyList>? Changed;

    /// <summary>0: nobody was ever denied.</summary>
    public ulong Number => trust.Denied?.Number ?? 0;

    /// <summary>As <see cref="DenyList.Sign"/> wrote it; null when there is none.</summary>
    public byte[]? Signed => Volatile.Read(ref _signed);

    /// <summary>The list in a node's or a cluster's folder, as <see cref="DenyList.Sign"/> wrote it; null when there is
    /// none.</summary>
    public static byte[]? ReadFile(string folder)
    {
        var file = Path.Combine(folder, DenyList.FileName);
        return File.Exists(file) ? File.ReadAllBytes(file) : null;
    }

    /// <summary>The same, read.</summary>
    /// <exception cref="StartRefusedException">It is damaged.</exception>
    public static DenyList? ReadList(string folder, string cluster, X509Certificate2 authority) =>
        ReadFile(folder) is not { } signed ? null
        : DenyList.Read(signed, cluster, new(authority)) ?? throw new StartRefusedException(
            ExitCode.Damaged,
            $"{Path.Combine(folder, DenyList.FileName)}, the list of revoked certificates, is damaged. Delete it: a "
            + "node gets it again from the others. On the machine with the authority's key, run 'cluster revoke' again "
            + "for a node that is already revoked: it fetches the list from a node.");

    private string StoredAt { get; } = Path.Combine(folder.Path, DenyList.FileName);

    /// <summary>Puts a list in the place of the one at hand if it is genuine and newer. One that the disk does not take
    /// is in force all the same, and stored later.</summary>
    public DenyListVerdict Take(ReadOnlySpan<byte> signed)
    {
        if (DenyList.Read(signed, genesis.ClusterHex, trust) is not { } list)
            return DenyListVerdict.NoList;
        lock (_turn)
        {
            if (list.Number <= Number)
                return list.Number == Number ? DenyListVerdict.Known : DenyListVerdict.Older;
            _unstored = signed.ToArray();
            Volatile.Write(ref _signed, _unstored);
            trust.Deny(list);
        }

        LogTaken(list.Number, string.Join(' ', list.Entries.Select(entry => entry.Name).Distinct()));
        EndConnections();
        Changed?.Invoke(list);
        Store();
        if (list.Of(node.Self.Node) is { } own)
            End(own);
        return DenyListVerdict.Taken;
    }

    /// <summary>Stores what the disk has not taken yet.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        while (true)
        {
            await Task.Delay(StorePause, time, stopping);
            Store();
        }
    }

    /// <summary>Ends this connection when its certificate is denied while it is open.</summary>
    public IDisposable Follow(ConnectionContext connection, X509Certificate2 certificate)
    {
        _open[connection] = certificate;
        return new Followed(this, connection);
    }

    private void Store()
    {
        lock (_disk)
        {
            if (Volatile.Read(ref _unstored) is not { } newest)
                return;
            try
            {
                PrivateFiles.Write(StoredAt, newest);
                Interlocked.CompareExchange(ref _unstored, null, newest);
                if (_hasFailed)
                    LogStored(StoredAt);
                _hasFailed = false;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                _hasFailed = true;
                if (_unstoredLines.Allows((long)time.GetElapsedTime(0).TotalMilliseconds, out _))
                    LogUnstored(StoredAt, e.Message);
            }
        }
    }

    private void EndConnections()
    {
        foreach (var (connection, certificate) in _open)
            if (trust.DenialOf(certificate) is not null)
                connection.Abort();
    }

    private void End(Denial own)
    {
        LogRevoked(own.InWords("this node's"), folder.Path);
        Environment.ExitCode = (int)ExitCode.Revoked;
        life.ApplicationStarted.Register(life.StopApplication); // A stop while it starts looks like a failed start.
    }

    [LoggerMessage(7020, LogLevel.Warning, "deny list {Number} is in force; revoked until now: {Names}")]
    private partial void LogTaken(ulong number, string names);

    [LoggerMessage(7021, LogLevel.Critical,
        "{What}; it must not serve any more and stops. Its data is kept by the other nodes. Remove {Folder}; to use "
        + "this machine as a node again, its operator must invite it: 'chordchat-node cluster invite'")]
    private partial void LogRevoked(string what, string folder);

    [LoggerMessage(7025, LogLevel.Error,
        "{Path} cannot be written ({Why}), so the new deny list is in force, but is forgotten at a restart "
        + "until another node tells it again. Mend the disk or make room; it is tried again every 10 s")]
    private partial void LogUnstored(string path, string why);

    [LoggerMessage(7026, LogLevel.Information, "the deny list is on the disk now: {Path}")]
    private partial void LogStored(string path);

    private sealed class Followed(Denials denials, ConnectionContext connection) : IDisposable
    {
        public void Dispose() => denials._open.TryRemove(connection, out _);
    }
}

internal enum DenyListVerdict
{
    Taken,

    /// <summary>This very number is in force here.</summary>
    Known,

    /// <summary>A newer one is in force here.</summary>
    Older,

    /// <summary>Not signed by the authority, or of another cluster.</summary>
    NoList,
}
