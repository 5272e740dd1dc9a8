using ChordChat.Core.Ring;
using ChordChat.Node.Base;
using ChordChat.Node.Links;

namespace ChordChat.Node.Ring;

/// <summary>Sends the token that goes round the whole ring when it is this node's turn, passes on that of others, and
/// looks for the place anew when the ring is found broken; docs/protocol.md, "Ring: audit".</summary>
internal sealed partial class RingAuditor(
    RingDriver ring, RingCalls calls, EventLog events, TimeProvider time, ILogger<RingAuditor> logger)
    : ILoop
{
    /// <summary>After a token that failed another one is sent, this many stabilize intervals later.</summary>
    private const int AgainAfter = 5;

    private readonly Lock _turn = new();
    private readonly AuditAlarms _alarms = new();
    private CancellationToken _stopping;
    private ulong _number;
    private int _faultsInRow;

    /// <summary>What became of the last token of this node that came to an end; null before the first.</summary>
    public AuditResult? Last { get; private set; }

    /// <summary>What another member says of a token. Origins that are no members are not believed, and those that are
    /// have the address that this node knows of them, whatever the message says.</summary>
    public void Hear(AuditNews news)
    {
        if (ring.Now.Find(news.From) is not { } origin)
            return;
        switch (news)
        {
            case AuditNews.Passed(var token):
                Follow(RingAudit.Pass(ring.Now.Ring, token with { Origin = origin }));
                break;
            case AuditNews.Ended(var token) when origin == ring.Now.Self:
                Ended(token, RingAudit.LostItsOrigin);
                break;
            case AuditNews.Failed(_, var number) when IsNew(origin, number):
                Failed(origin, number, $"the audit of {origin.Name} failed twice");
                break;
        }
    }

    public Task RunAsync(CancellationToken stopping)
    {
        _stopping = stopping;
        return Periodic.RunAsync(ring.Now.Ring.Options.AuditInterval, time, BeatAsync, stopping);
    }

    private ValueTask BeatAsync(CancellationToken stopping)
    {
        Send();
        return ValueTask.CompletedTask;
    }

    private void Send()
    {
        ulong number;
        lock (_turn)
            number = ++_number;
        var now = ring.Now.Ring;
        if (RingAudit.IsOrigin(now))
            Follow(RingAudit.Start(now, number));
    }

    private void Follow(AuditStep step)
    {
        switch (step)
        {
            case AuditStep.Forward(var to, var token):
                Tell(to, new AuditNews.Passed(token));
                break;
            case AuditStep.Ended(var token, var fault) when token.Origin == ring.Now.Self:
                Ended(token, fault);
                break;
            case AuditStep.Ended(var token, _):
                Tell(token.Origin, new AuditNews.Ended(token));
                break;
        }
    }

    private void Ended(AuditToken token, string? fault)
    {
        int faults;
        lock (_turn)
        {
            if (token.Number != _number)
                return; // An old one, or none of this start.
            Last = new(token.Count, fault);
            _faultsInRow = fault is null ? 0 : _faultsInRow + 1;
            faults = _faultsInRow;
        }

        if (fault is null)
            LogPassed(token.Count);
        else if (faults == 1)
            _ = SendAgainAsync();
        else
            Announce(token, fault);
    }

    private async Task SendAgainAsync()
    {
        await Task.Delay(ring.Now.Ring.Options.StabilizeInterval * AgainAfter, time, _stopping)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!_stopping.IsCancellationRequested)
            Send();
    }

    private void Announce(AuditToken token, string fault)
    {
        lock (_turn)
            _faultsInRow = 0;
        if (!IsNew(token.Origin, token.Number))
            return;
        foreach (var peer in ring.Now.Members.Live)
            Tell(peer, new AuditNews.Failed(token.Origin, token.Number));
        Failed(token.Origin, token.Number, fault);
    }

    private void Failed(Peer origin, ulong number, string fault)
    {
        LogFailed(fault);
        events.Add(
            "ring_audit_failed", origin.Name, $"the ring is broken: {fault}; every node looks for its place anew");
        var news = new AuditNews.Failed(origin, number);
        foreach (var next in ring.Now.Ring.Successors)
            Tell(next, news); // The origin may not know everybody; the ring does. All of them: one call may be lost.
        _ = ring.GiveAsync(new RingInput.AuditFailed(), _stopping).AsTask();
    }

    private bool IsNew(Peer origin, ulong number)
    {
        lock (_turn)
            return _alarms.IsNew(origin.Node, number, ring.Clock);
    }

    /// <summary>Not awaited: if it does not arrive, the token is lost, and the next one goes its own way.</summary>
    private void Tell(Peer to, AuditNews news) =>
        _ = calls.AuditAsync(to, news, ring.Now.Ring.Options.AskTimeout, _stopping)
            .ContinueWith(_ => { }, TaskScheduler.Default);

    [LoggerMessage(1010, LogLevel.Debug, "ring audit: {Count} nodes stand in one ring")]
    private partial void LogPassed(int count);

    [LoggerMessage(1011, LogLevel.Warning, "ring_audit_failed: {Fault}; every node looks for its place anew")]
    private partial void LogFailed(string fault);
}

/// <param name="Count">Nodes that the token met.</param>
/// <param name="Fault">What is wrong, in words, or null.</param>
internal sealed record AuditResult(int Count, string? Fault);
