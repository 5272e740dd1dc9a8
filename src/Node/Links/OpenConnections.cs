using System.Net;
using ChordChat.Node.Base;
using ChordChat.Node.Identity;
using Microsoft.AspNetCore.Connections;

namespace ChordChat.Node.Links;

/// <summary>Shares the process's descriptors: past the limits, the connection of the block with the most that has been
/// idle for longest makes room, or one with a session where a block has far more than others; some places are kept for
/// members. Says in the log what ran out: one line a minute. Safe for threads.</summary>
/// <remarks>docs/security.md, "Places of strangers".</remarks>
internal sealed partial class OpenConnections(
    DescriptorLimit limit, MemberAddresses members, TimeProvider time, ILogger logger)
{
    /// <summary>How long a connection is safe from others of its own block: until it can have signed in.</summary>
    private static readonly TimeSpan IdleTenure = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan HandshakeTenure = TimeSpan.FromSeconds(2);

    private readonly AddressLimit _addresses = new(limit.PerAddress);
    private readonly FairPlaces _open = Places(limit.Connections - limit.Kept, IdleTenure, time);
    private readonly FairPlaces _kept = Places(limit.Kept, IdleTenure, time);
    private readonly FairPlaces _unfinished = Places(limit.Unfinished, HandshakeTenure, time);
    private readonly FairPlaces _keptUnfinished = Places(limit.Kept, HandshakeTenure, time);
    private readonly LineBudget _lines = new(1);

    /// <summary>Before TLS: a refused connection costs no handshake.</summary>
    public ConnectionDelegate Limit(ConnectionDelegate next) => async connection =>
    {
        var address = (connection.RemoteEndPoint as IPEndPoint)?.Address ?? IPAddress.None;
        var isCounted = _addresses.TryEnter(address);
        try
        {
            var isMember = members.Contains(address);
            using var place = isCounted || isMember ? TryEnter(_open, _kept, address, isMember) : null;
            using var handshake = place is null ? null : TryEnter(_unfinished, _keptUnfinished, address, isMember);
            if (place is null || handshake is null)
            {
                if (_lines.Allows(Environment.TickCount64, out var closed))
                    LogFull(limit.Connections, limit.Unfinished, closed);
                return; // Returning closes it.
            }

            connection.Features.Set(new ConnectionPlace(place, handshake, () => members.Add(address)));
            await using var lost = place.Lost.UnsafeRegister(End, connection);
            await using var late = handshake.Lost.UnsafeRegister(End, connection);
            await next(connection);
        }
        finally
        {
            if (isCounted)
                _addresses.Leave(address);
        }
    };

    /// <summary>After TLS, when it is known who calls.</summary>
    public static ConnectionDelegate Finished(ConnectionDelegate next) => connection =>
    {
        connection.Features.Get<ConnectionPlace>()?.Finished(connection.Features.Get<CallerIdentity>());
        return next(connection);
    };

    private static FairPlaces Places(int max, TimeSpan tenure, TimeProvider time) =>
        new(max, max, tenure, time);

    private static FairPlaces.Place? TryEnter(FairPlaces all, FairPlaces kept, IPAddress address, bool isMember) =>
        all.TryEnter(address) ?? (isMember ? kept.TryEnter(address) : null);

    private static void End(object? connection) => ((ConnectionContext)connection!).Abort(
        new ConnectionAbortedException("its place was given to a newcomer"));

    [LoggerMessage(7019, LogLevel.Warning,
        "connections are closed at once: at most {Open} may be open and {Unfinished} in their handshake, or this "
        + "process would run out of file descriptors (ulimit -n); {Closed} more were closed since the last line")]
    private partial void LogFull(int open, int unfinished, long closed);
}

/// <summary>The place that a connection has among all.</summary>
internal sealed class ConnectionPlace(FairPlaces.Place place, FairPlaces.Place handshake, Action memberCame)
{
    private readonly Lock _turn = new();
    private int _sessions;

    /// <summary>TLS is done. Who has a certificate of the cluster keeps the place.</summary>
    public void Finished(CallerIdentity? caller)
    {
        handshake.Dispose();
        if (caller?.Node is not null)
            memberCame();
        if (caller is { Node: not null } or { MaySeeNames: true })
            Stay();
    }

    /// <summary>While somebody is signed in over this connection, it makes room only when its block has far more than
    /// others.</summary>
    /// <returns>To be disposed of at the end of the session.</returns>
    public IDisposable Busy()
    {
        lock (_turn)
            if (_sessions++ == 0)
                place.Hold();
        return new Session(this);
    }

    private sealed class Session(ConnectionPlace of) : IDisposable
    {
        public void Dispose()
        {
            lock (of._turn)
                if (--of._sessions == 0)
                    of.Idle();
        }
    }

    /// <summary>As if somebody were signed in for ever.</summary>
    private void Stay()
    {
        lock (_turn)
            _sessions++;
        place.TryStay();
    }

    private void Idle() => place.Yield();
}
