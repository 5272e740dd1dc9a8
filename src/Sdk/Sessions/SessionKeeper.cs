using ChordChat.Crypto.Sessions;
using ChordChat.Sdk.Keys;
using ChordChat.Sdk.Messages;
using ChordChat.Sdk.Nodes;
using ChordChat.Sdk.Profiles;
using ChordChat.Wire;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.Data.Sqlite;
using KeyLog = ChordChat.Crypto.KeyLogs.KeyLog;

namespace ChordChat.Sdk.Sessions;

/// <summary>Keeps a session standing: connects, and after every loss connects again, to another node first.</summary>
internal sealed class SessionKeeper(
    UnlockedProfile me, NodeLinks links, KeyBook keys, Outbox outbox, Inbox inbox, UnjudgedMail unjudged,
    GapWatch gaps, Receipts receipts, Circle circle, ChangeSignal changed, SessionLease lease, IClientSink sink,
    FailureReports reports)
    : IDisposable
{
    private static readonly TimeSpan LeasePoll = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan BackoffMax = TimeSpan.FromSeconds(3);

    /// <summary>How often a client that stands aside for a copy of its profile asks whether that is a new device.
    /// </summary>
    private static readonly TimeSpan AsidePoll = TimeSpan.FromSeconds(3);

    private readonly SessionTurn _turn = new();
    private volatile Session? _current;
    private volatile bool _saidGoodbye;
    private volatile bool _staysOldDevice;
    private readonly CopyWatch _copies = new(TimeProvider.System);
    private bool _isAside;

    /// <summary>Somebody wants no session to stand.</summary>
    private volatile bool _isHeld;

    /// <summary>Why the last session ended, as <see cref="ClientEvent.Connected"/> says it.</summary>
    private string? _why;

    /// <summary>How often in a row a session that stood was ended without proof.</summary>
    private int _endings;

    /// <summary>The name of the node that serves us now; null while there is no session.</summary>
    public string? Node => _current?.Welcome.NodeName;

    /// <summary>Runs until cancelled, or until the session ended for good.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        me.RequireDevice();
        string? lost = null;
        for (var failures = 0; !stopping.IsCancellationRequested;)
        {
            if (!lease.TryTake())
            {
                // Another process of this profile serves our outbox; if it ends, we take over.
                await Task.Delay(LeasePoll, stopping);
                continue;
            }

            var (final, node) = me.Profile.HasDevice
                ? await ServeNextAsync(lost, stopping)
                : (me.NotLoggedIn, null); // Another process has logged this device out.
            if (_isAside)
            {
                final = await StandAsideAsync(stopping);
                _isAside = false;
                _why = "";
                _copies.Forget();
            }

            if (final is not null)
            {
                lease.Dispose(); // A window that waits to be left keeps nobody from a session.
                sink.Tell(new ClientEvent.Ended(final));
                return;
            }

            // Two copies of a profile would otherwise take over from each other many times a second.
            failures = node is null ? failures + 1 : _endings;
            lost = node ?? lost;
            if (failures > 0)
                await Task.Delay(Backoff(failures), stopping);
        }
    }

    /// <summary>Nobody makes this profile a new device now.</summary>
    public void StayOldDevice() => _staysOldDevice = true;

    /// <summary>Ends the session, and begins no other one until the returned object is disposed of. A node that does
    /// not end it within a moment loses its link.</summary>
    public async Task<IDisposable> HoldAsync(CancellationToken cancellation)
    {
        _isHeld = true;
        try
        {
            return await _turn.HoldAsync(
                patience => _current?.WriteAsync(new ClientFrame { LogOut = true }, patience) ?? Task.CompletedTask,
                cancellation);
        }
        finally
        {
            _isHeld = false;
        }
    }

    /// <summary>When it does not run any more.</summary>
    public void Dispose() => _turn.Dispose();

    private async Task<(ChordChatException? Final, string? Node)> ServeNextAsync(
        string? lost, CancellationToken stopping)
    {
        using var turn = await _turn.TakeAsync(stopping);
        var at = new Try();
        try
        {
            me.TakeNewDevice();
            return await ServeOnceAsync(at, lost, turn.Token);
        }
        catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
        {
            Drop(at);
            return (null, at.Node);
        }
    }

    /// <summary>Drops the link: we leave, and the node did not end the session.</summary>
    private void Drop(Try at)
    {
        if (at.Link is { } link)
            links.Fail(link);
        if (at.Node is null)
            return;
        NoteEnd(isByCopy: false, why: null);
        sink.Tell(new ClientEvent.Disconnected(at.Node, $"{at.Node} did not end the session"));
    }

    /// <summary>Ends the session at once instead of after its lease.</summary>
    public async Task SayGoodbyeAsync(CancellationToken cancellation)
    {
        _saidGoodbye = true;
        if (_current is { } session)
            await session.WriteAsync(new ClientFrame { LogOut = true }, cancellation);
    }

    /// <summary>One try of a session: at which node, and who said welcome there.</summary>
    private sealed class Try
    {
        public NodeLink? Link { get; set; }

        public string? Node { get; set; }

        public string Name => Node ?? (Link is null ? "the search for a node" : Link.Cluster.NodeName);
    }

    /// <summary>Whatever goes wrong here is taken for this node's fault, and the next try is at another one: nothing
    /// that one node sends ends a client. What nobody foresaw is told once, with what a report needs.</summary>
    /// <remarks>docs/e2e.md, Session. What the local disk says is no node's fault.</remarks>
    /// <returns>Why it is over for good, or null; and the name of the node that served until then, or null.</returns>
    private async Task<(ChordChatException? Final, string? Node)> ServeOnceAsync(
        Try at, string? lost, CancellationToken stopping)
    {
        ChordChatException? final;
        try
        {
            final = await ServeOnceAsync(at, me.RequireDevice(), lost, stopping);
        }
        catch (Exception cause) when (
            cause is ChordChatException { Code: "profile_busy" } or SqliteException { SqliteErrorCode: 5 or 6 })
        {
            NoteFailure(at, cause as ChordChatException ?? Failures.ProfileBusy(cause));
            final = null;
        }
        catch (Exception cause) when (cause is not (ChordChatException or SqliteException))
        {
            stopping.ThrowIfCancellationRequested();
            NoteFailure(at, Failures.Unexpected(at.Name, cause));
            final = null;
        }

        if (at.Link is not null && final is null)
            links.Fail(at.Link);
        return (final, at.Node);
    }

    private async Task<ChordChatException?> ServeOnceAsync(
        Try at, Device device, string? lost, CancellationToken stopping)
    {
        try
        {
            var link = at.Link = await links.CurrentAsync(stopping);
            var nonce = HelloNonce.New(me.Profile.NextHelloMs());
            var (session, refusal) = await Session.OpenAsync(link, device, nonce, stopping);
            using (session)
            {
                if (session is null)
                {
                    var final = await JudgeAsync(refusal!, device, stopping);
                    if (final is null && !SessionEndings.IsUnproved(refusal))
                        sink.Tell(SessionEndings.NoSession(refusal!));
                    return final;
                }

                var node = at.Node = session.Welcome.NodeName;
                var ended = await ServeAsync(session, device, lost, stopping);
                NoteEnd(IsEndedByCopy(session, ended, device), SessionEndings.Describe(node, ended));
                if (ended is not null && await JudgeAsync(ended, device, stopping) is { } last)
                    return last;
                _endings = SessionEndings.IsUnproved(ended) ? _endings + 1 : 0;
                if (ended?.Reason == SessionEnded.Types.Reason.NodeStopping)
                    links.Retire(link);
                sink.Tell(new ClientEvent.Disconnected(node, SessionEndings.Describe(node, ended)));
            }
        }
        catch (RpcException cause)
        {
            stopping.ThrowIfCancellationRequested();
            if (at.Node is not null)
                NoteEnd(isByCopy: false, why: null);
            if (await JudgeAsync(cause, device, stopping) is { } over)
                return over;
            sink.Tell(at.Node is null
                ? new ClientEvent.Searching(Failures.Of(cause, "no session"))
                : new ClientEvent.Disconnected(at.Node, $"{at.Node} does not answer"));
        }
        catch (ChordChatException cause) when (at.Node is null)
        {
            if (cause.Code == "foreign_cluster" && lost is null)
                return cause;
            sink.Tell(new ClientEvent.Searching(cause));
        }
        finally
        {
            _current = null;
        }

        return null;
    }

    private void NoteFailure(Try at, ChordChatException failure)
    {
        reports.Add(failure);
        if (at.Node is null)
        {
            sink.Tell(new ClientEvent.Searching(failure));
            return;
        }

        _endings++; // The pauses grow: it may happen at every node.
        NoteEnd(isByCopy: false, failure.Message);
        sink.Tell(new ClientEvent.Disconnected(at.Node, failure.Message));
    }

    /// <summary>Keeps in mind how a session that stood has ended.</summary>
    private void NoteEnd(bool isByCopy, string? why)
    {
        _isAside = _copies.Ended(isByCopy);
        _why = _isHeld ? ""
            : isByCopy ? "another program with this profile's keys took over the session"
            : why;
    }

    /// <summary>Each proof counts once: the next hello is later than what it proves.</summary>
    private bool IsEndedByCopy(Session session, SessionEnded? ended, Device device)
    {
        if (ended?.Reason != SessionEnded.Types.Reason.SameDevice || !session.IsEndedByCopy(ended.Newer, device))
            return false;
        me.Profile.CopyHasMadeHello(HelloNonce.TimeMsOf(ended.Newer.ClientNonce.Span));
        return true;
    }

    private async Task<SessionEnded?> ServeAsync(
        Session session, Device device, string? lost, CancellationToken stopping)
    {
        links.Pool.Hear(session.Link, session.Welcome.Nodes);
        me.Profile.RememberNodes(links.Pool.Known);
        links.Pass.Keep(session.Welcome.Pass);
        _current = session;
        sink.Tell(new ClientEvent.Connected(session.Welcome.NodeName, lost, session.Welcome.Degraded, _why));
        if (me.Profile.IsCopied)
            sink.Tell(new ClientEvent.Copied());
        return await new SessionLoop(
            session, device, keys, outbox, inbox, unjudged, gaps, receipts, circle, changed, sink).RunAsync(stopping);
    }

    /// <summary>A copy of this profile has the session: begins no other one until this is a new device, or the copy is.
    /// </summary>
    /// <remarks>docs/e2e.md, Session.</remarks>
    /// <returns>Why it is over for good; null when this is a new device.</returns>
    private async Task<ChordChatException?> StandAsideAsync(CancellationToken stopping)
    {
        var device = me.RequireDevice();
        if (!me.Store.Write(db => Profile.MarkCopied(db, DateTimeOffset.UtcNow.ToUnixTimeMilliseconds())))
            return SessionEndings.Copied(
                "close the copy; if there is none, make this a new device: /logout in the console, then "
                + $"'{ProfileCommand.Of(me.Profile, $"login {me.User}")}'");
        sink.Tell(new ClientEvent.Copied(IsOpenElsewhere: true));
        for (var dueAt = 0L; !_staysOldDevice;)
        {
            var wake = changed.Next;
            using (var turn = await _turn.TakeAsync(stopping))
                try
                {
                    if (me.TakeNewDevice())
                        return null;
                    if (Environment.TickCount64 >= dueAt)
                    {
                        if (await keys.NewestOwnAsync(device.Log, turn.Token) is { } newest)
                            return Retire(device, newest);
                        dueAt = Environment.TickCount64 + (long)AsidePoll.TotalMilliseconds;
                    }
                }
                catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
                {
                    // Somebody makes this a new device meanwhile.
                }

            await Task.WhenAny(wake, Task.Delay(AsidePoll, stopping));
            stopping.ThrowIfCancellationRequested();
        }

        return SessionEndings.Copied(
            $"close the copy and start this one again, or type '{ProfileCommand.Of(me.Profile, $"login {me.User}")}': "
            + "this one then becomes a new device, and the copy is closed");
    }

    /// <summary>Whether this end is final. One node's word is not: that another device took over must be signed, and
    /// that we logged out we know ourselves. Without proof another node is tried.</summary>
    private async Task<ChordChatException?> JudgeAsync(SessionEnded ended, Device device, CancellationToken stopping)
    {
        switch (ended.Reason)
        {
            case SessionEnded.Types.Reason.TakenOver when Newer(device, ended) is { } newest:
                return Retire(device, newest);
            case SessionEnded.Types.Reason.TakenOver or SessionEnded.Types.Reason.Refused:
                if (await keys.NewestOwnAsync(device.Log, stopping) is { } shown)
                    return Retire(device, shown);
                sink.Tell(new ClientEvent.Searching(SessionEndings.Unproved(ended)));
                return null;
            case SessionEnded.Types.Reason.LoggedOut when _saidGoodbye:
                return new ChordChatException("logged_out", "the session was logged out", "log in again to go on");
            default:
                return null;
        }
    }

    private async Task<ChordChatException?> JudgeAsync(RpcException cause, Device device, CancellationToken stopping) =>
        cause.StatusCode is StatusCode.FailedPrecondition or StatusCode.Unauthenticated or StatusCode.PermissionDenied
            or StatusCode.NotFound
            ? await JudgeAsync(
                new SessionEnded { Reason = SessionEnded.Types.Reason.Refused, Text = cause.Status.Detail }, device,
                stopping)
            : null;

    /// <param name="newest">The user's own key log.</param>
    /// <returns>Null when a new device is here, too: then that one goes on. Another process has logged in anew since,
    /// or a login that was begun here has taken effect without telling: docs/e2e.md, New device.</returns>
    private ChordChatException? Retire(Device device, KeyLog newest)
    {
        if (me.TakeNewDevice())
            return null;
        if (me.Profile.TryAdopt(newest, me.Key) && me.TakeNewDevice())
        {
            sink.Tell(new ClientEvent.Notice("this is a new device now: what was begun before has taken effect"));
            return null;
        }

        var at = DateTimeOffset.FromUnixTimeMilliseconds((long)newest.Head.TimeMs);
        if (me.ForgetDevice(newest) is not { } unsent)
            return null; // Since a moment ago.
        return new ChordChatException(
            "taken_over",
            $"{device.User} logged in on another device on {at.ToLocalTime():yyyy-MM-dd} at "
            + $"{at.ToLocalTime():HH:mm:ss}; this one is closed"
            + (unsent > 0 ? $", and {unsent} message{(unsent == 1 ? " here is" : "s here are")} unsent" : ""),
            (unsent > 0
                ? $"log in here and use '{Command("resend")}' or /resend to send what is unsent; what a node had may "
                    + "have been kept, and arrives once also if it is sent again; "
                : "")
            + $"use that device, or log in here again with '{Command($"login {device.User}")}', which ends its session;"
            + " if that was not you, somebody else knows your password and can do it again");

        string Command(string words) => ProfileCommand.Of(me.Profile, words);
    }

    private static KeyLog? Newer(Device device, SessionEnded ended)
    {
        IEnumerable<ByteString> since = ended.Since.Count > 0 ? ended.Since : [ended.Entry];
        return since.Aggregate((KeyLog?)device.Log, (log, bytes) => log?.Append(bytes.Span));
    }

    /// <summary>0.1 s, 0.2 s, 0.4 s ... up to 3 s, each between half and all of that.</summary>
    private static TimeSpan Backoff(int failures)
    {
        var full = TimeSpan.FromMilliseconds(100 * Math.Pow(2, Math.Min(failures - 1, 10)));
        return (full < BackoffMax ? full : BackoffMax) * (0.5 + Random.Shared.NextDouble() / 2);
    }
}
