using System.Collections.Concurrent;
using System.Security.Cryptography.X509Certificates;
using ChordChat.Node.Hosting;
using ChordChat.Node.Storage;
using Microsoft.AspNetCore.Connections;

namespace ChordChat.Node.Admission;

/// <summary>The newest deny list that this node knows: on its disk first, then in force here.</summary>
/// <remarks>docs/protocol.md#ring-deny-list. Safe for threads.</remarks>
internal sealed partial class Denials(
    ClusterTrust trust, Genesis genesis, DataFolder folder, LocalNode node, IHostApplicationLifetime life,
    ILogger<Denials> logger)
{
    private readonly Lock _turn = new();
    private readonly ConcurrentDictionary<ConnectionContext, X509Certificate2> _open = new();
    private byte[]? _signed = ReadFile(folder.Path);

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
            + "node gets it again from the others. Where the authority's key is, revoke again a node that was revoked "
            + "before: 'cluster revoke' fetches the list from a node.");

    /// <summary>Puts a list in the place of the one at hand if it is genuine and newer.</summary>
    /// <exception cref="IOException">It cannot be kept on the disk; nothing has changed.</exception>
    public DenyListVerdict Take(ReadOnlySpan<byte> signed)
    {
        if (DenyList.Read(signed, genesis.ClusterHex, trust) is not { } list)
            return DenyListVerdict.NoList;
        lock (_turn)
        {
            if (list.Number <= Number)
                return list.Number == Number ? DenyListVerdict.Known : DenyListVerdict.Older;
            PrivateFiles.Write(Path.Combine(folder.Path, DenyList.FileName), signed);
            Volatile.Write(ref _signed, signed.ToArray());
            trust.Deny(list);
        }

        LogTaken(list.Number, string.Join(' ', list.Entries.Select(entry => entry.Name).Distinct()));
        EndConnections();
        Changed?.Invoke(list);
        if (list.Of(node.Self.Node) is { } own)
            End(own);
        return DenyListVerdict.Taken;
    }

    /// <summary>Ends this connection when its certificate is denied while it is open.</summary>
    public IDisposable Follow(ConnectionContext connection, X509Certificate2 certificate)
    {
        _open[connection] = certificate;
        return new Followed(this, connection);
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
