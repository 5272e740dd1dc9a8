using System.Collections.Immutable;
using System.Threading.Channels;
using ChordChat.Core.Ring;
using ChordChat.Node.Base;

namespace ChordChat.Node.Ring;

/// <summary>The ring's loop: one reader of one inbox owns all state; slow peers are tasks that come back as
/// inputs.</summary>
internal sealed partial class RingDriver : ILoop
{
    /// <summary>Inputs that may wait; whoever brings more waits with them.</summary>
    public const int InboxMax = 4_096;

    private readonly Channel<RingWork> _inbox = Channel.CreateBounded<RingWork>(
        new BoundedChannelOptions(InboxMax) { SingleReader = true });
    private readonly RingCalls _calls;
    private readonly EventLog _events;
    private readonly TimeProvider _time;
    private readonly ILogger<RingDriver> _logger;
    private readonly Prng _random = new((ulong)Random.Shared.NextInt64());
    private readonly LineBudget _roomLines = new(1);
    private readonly LineBudget _faultLines = new(1);
    private readonly LineBudget _phaseLines = new(20);
    private readonly LineBudget _excessLines = new(1);
    private readonly NewsBudget _news = new();
    private readonly GossipBudget _gossip = new();
    private readonly long _started;
    private RingSnapshot _now;

    public RingDriver(
        RingStart start, RingCalls calls, EventLog events, TimeProvider time, ILogger<RingDriver> logger)
    {
        (_calls, _events, _time, _logger) = (calls, events, time, logger);
        _started = time.GetTimestamp();
        var members = MembershipState.Starting(
            start.Self, MembershipState.FirstIncarnation(start.Incarnation),
            time.GetUtcNow().ToUnixTimeMilliseconds(), TimeSpan.Zero, start.Membership);
        _now = new(RingState.Starting(start.Self, start.Ring), FingerTable.Of(start.Self), members);
        Handle(new RingWork.OnMembers(now => new MembershipInput.Founded(now, start.Founders)), CancellationToken.None);
    }

    /// <summary>What this node believes now; safe to read anywhere.</summary>
    public RingSnapshot Now => Volatile.Read(ref _now);

    /// <summary>This process's running time, as membership records count it.</summary>
    public TimeSpan Clock => _time.GetElapsedTime(_started);

    /// <summary>Steps of the ring layer since the start: each may walk over the whole cache.</summary>
    public long RingStepCount { get; private set; }

    /// <summary>Reveals the ring state to somebody who will act on it.</summary>
    public async Task<RingAnswer> ReadAsync(CancellationToken cancellation)
    {
        var answer = NewAnswer<RingAnswer>();
        await _inbox.Writer.WriteAsync(new RingWork.OnRing(new RingInput.RingRead(), answer), cancellation);
        return await answer.Task.WaitAsync(cancellation);
    }

    /// <summary>Answers a probe.</summary>
    /// <param name="from">Node and position are those of its certificate.</param>
    public async Task<MembershipEffect.Reply> PingedAsync(
        Member from, ImmutableArray<Member> gossip, bool wantAll, ulong digest, CancellationToken cancellation)
    {
        var answer = NewAnswer<MembershipEffect.Reply>();
        await _inbox.Writer.WriteAsync(
            new RingWork.OnMembers(
                now => new MembershipInput.Pinged(now, from, Limit(from.Peer, gossip, now), wantAll, digest), answer),
            cancellation);
        return await answer.Task.WaitAsync(cancellation);
    }

    /// <summary>Somebody of this cluster answered at an address, and says that it is <paramref name="from"/>.</summary>
    public ValueTask MetAsync(Member from, ImmutableArray<Member> gossip, CancellationToken cancellation) => GiveAsync(
        now => new MembershipInput.Acked(now, 0, from, Limit(null, gossip, now)), cancellation);

    public ValueTask GiveAsync(RingInput input, CancellationToken cancellation) =>
        _inbox.Writer.WriteAsync(new RingWork.OnRing(input), cancellation);

    public ValueTask GiveAsync(Func<TimeSpan, MembershipInput> input, CancellationToken cancellation) =>
        _inbox.Writer.WriteAsync(new RingWork.OnMembers(input), cancellation);

    /// <summary>False while the inbox is full.</summary>
    public bool TryGive(Func<TimeSpan, MembershipInput> input) =>
        _inbox.Writer.TryWrite(new RingWork.OnMembers(input));

    public ValueTask GiveAsync(RingWork work, CancellationToken cancellation) =>
        _inbox.Writer.WriteAsync(work, cancellation);

    public async Task RunAsync(CancellationToken stopping)
    {
        await foreach (var work in _inbox.Reader.ReadAllAsync(stopping))
            Try(work, stopping);
    }

    /// <summary>docs/protocol.md#ring-state: what breaks a rule of this program is dropped, and said.</summary>
    private void Try(RingWork work, CancellationToken stopping)
    {
        try
        {
            Handle(work, stopping);
        }
        catch (Exception e)
        {
            Report(e, work.Name);
            work.Drop(e);
            if (work is RingWork.OnRing) // Perhaps it was the answer: the question would stay open for ever.
                Publish(_now with { Ring = _now.Ring with { Pending = null } });
        }
    }

    private void Handle(RingWork work, CancellationToken stopping)
    {
        switch (work)
        {
            case RingWork.OnRing(var input, var answer):
                StepRing(input, answer, stopping);
                break;
            case RingWork.OnMembers(var make, var answer):
                StepMembers(make(Clock), answer, stopping);
                break;
            case RingWork.ProbeDue:
                var ring = _now.Ring;
                var near = ring.Successors.Take(2).Append(ring.Predecessor).OfType<Peer>().Distinct()
                    .ToImmutableArray();
                StepMembers(new MembershipInput.ProbeDue(Clock, near), null, stopping);
                break;
            case RingWork.FingerFound(var owner):
                var fingers = _now.Fingers;
                Publish(_now with { Fingers = owner is null ? fingers.Skip() : fingers.Fix(owner) });
                break;
        }
    }

    private void StepRing(RingInput input, TaskCompletionSource<RingAnswer>? answer, CancellationToken stopping)
    {
        RingStepCount++;
        var (next, effects) = RingProtocol.Step(_now.Ring, input);
        Publish(_now with { Ring = next });
        foreach (var effect in effects)
            switch (effect)
            {
                case RingEffect.AskRing(var nonce, var to):
                    _ = AskRingAsync(nonce, to, stopping); // Never awaited here: a slow peer must not stop the loop.
                    break;
                case RingEffect.AskAlive(var nonce, var to):
                    _ = AskAliveAsync(nonce, to, stopping);
                    break;
                case RingEffect.Notify(var to):
                    _ = QuietlyAsync(() => _calls.NotifyAsync(to, _now.Self, next.Options.AskTimeout, stopping));
                    break;
                case RingEffect.Reveal(var revealed):
                    answer?.TrySetResult(revealed);
                    break;
                case RingEffect.StabilizeSoon { Within: var within }:
                    _ = StabilizeSoonAsync(within, stopping);
                    break;
                case RingEffect.Unreachable(var peer):
                    StepMembers(new MembershipInput.Unreachable(Clock, peer), null, stopping);
                    break;
                case RingEffect.PhaseChanged(var phase):
                    // Alone with a process that is gone, a node may look for its place many times a second.
                    if (_phaseLines.Allows((long)Clock.TotalMilliseconds, out _))
                        LogPhase(phase, next.Successors.Length);
                    break;
            }
    }

    private void StepMembers(
        MembershipInput input, TaskCompletionSource<MembershipEffect.Reply>? answer, CancellationToken stopping)
    {
        var (next, effects) = MembershipProtocol.Step(_now.Membership, input, _random);
        Publish(_now with { Membership = next });
        var isTold = false;
        foreach (var effect in effects)
            switch (effect)
            {
                case MembershipEffect.Ping ping:
                    _ = PingAsync(ping, stopping);
                    break;
                case MembershipEffect.PingFor help:
                    _ = PingForAsync(help, stopping);
                    break;
                case MembershipEffect.Reply reply:
                    answer?.TrySetResult(reply);
                    break;
                case MembershipEffect.Happened(var happened):
                    Tell(happened, stopping);
                    break;
                case MembershipEffect.CacheChanged when !isTold: // Once: each further one would say the same.
                    isTold = true;
                    Try(new RingWork.OnRing(_now.Membership.ForRing()), stopping);
                    break;
            }
    }

    private void Tell(MembershipEvent happened, CancellationToken stopping)
    {
        var peer = happened.Member.Peer;
        if (happened is MembershipEvent.NoRoom)
        {
            if (_roomLines.Allows((long)Clock.TotalMilliseconds, out var unsaid))
                LogNoRoom(_now.Members.All.Length, unsaid);
            return; // Not for pages: a member that lies can invent as many as it likes.
        }

        if (happened is MembershipEvent.Died or MembershipEvent.Left)
            Publish(_now with { Fingers = _now.Fingers.Without(peer) });

        // Others say so, who may have made it up. But what this node's own probes have found is so.
        if (happened.Member is { Spoken: 0, MissedAt: null } && happened is not MembershipEvent.OwnIdSeenAhead)
            return;
        if (!_news.Allows(peer.Node, (long)Clock.TotalMilliseconds, out var untold))
            return;
        if (untold > 0)
            LogUntold(untold);
        _events.Add(happened);
        if (happened is MembershipEvent.Suspected or MembershipEvent.Died or MembershipEvent.OwnIdSeenAhead)
            LogTrouble(EventLog.TextOf(happened));
        else
            LogNews(EventLog.TextOf(happened));
    }

    /// <summary>What is taken in of what a member tells about others.</summary>
    /// <param name="from">Null: nobody has proved who it is.</param>
    private ImmutableArray<Member> Limit(Peer? from, ImmutableArray<Member> gossip, TimeSpan now)
    {
        var taken = _gossip.Take(from?.Node ?? default, gossip, now);
        if (taken.Length < gossip.Length && _excessLines.Allows((long)now.TotalMilliseconds, out _))
            LogExcess(from?.Name ?? "a node that was asked who it is", gossip.Length - taken.Length);
        return taken;
    }

    /// <summary>A fault of this program that one input brought to light. Safe for threads.</summary>
    private void Report(Exception fault, string input)
    {
        if (_faultLines.Allows((long)Clock.TotalMilliseconds, out var unsaid))
            LogFault(fault, input, unsaid);
    }

    private void Publish(RingSnapshot next) => Volatile.Write(ref _now, next);

    private async Task AskRingAsync(ulong nonce, Peer to, CancellationToken stopping)
    {
        var why = ProbeMiss.Silent;
        var answer = await QuietlyAsync(() => _calls.GetRingAsync(
            to, _now.Self, _now.Ring.Options.AskTimeout, missed => why = missed, stopping));
        await GiveAsync(
            answer is not null ? new RingInput.Answered(nonce, answer)
            : why is ProbeMiss.Busy ? new RingInput.AskRefused(nonce)
            : new RingInput.AskTimedOut(nonce), stopping);
    }

    private async Task AskAliveAsync(ulong nonce, Peer to, CancellationToken stopping)
    {
        var isAlive = await QuietlyAsync(
            () => BoxAsync(_calls.AskAliveAsync(to, _now.Members.Own, _now.Ring.Options.AskTimeout, stopping)));
        await GiveAsync(
            isAlive is true ? new RingInput.StillAlive(nonce) : new RingInput.AskTimedOut(nonce), stopping);
    }

    private async Task StabilizeSoonAsync(TimeSpan within, CancellationToken stopping)
    {
        var least = TimeSpan.FromMilliseconds(10);
        await QuietlyAsync(() => Task.Delay(least + ((within - least) * Random.Shared.NextDouble()), _time, stopping)
            .ContinueWith(_ => (object?)null, TaskScheduler.Default));
        await GiveAsync(new RingInput.StabilizeDue(), stopping);
    }

    /// <summary>Its result waits for room in the inbox: one that is lost would leave the question open.</summary>
    private async Task PingAsync(MembershipEffect.Ping ping, CancellationToken stopping)
    {
        var why = ProbeMiss.Silent;
        var answer = await QuietlyAsync(() => _calls.PingAsync(ping, missed => why = missed, stopping));
        await GiveAsync(now => answer is not null
            ? new MembershipInput.Acked(now, ping.Probe, answer.From, Limit(ping.To, answer.Gossip, now))
            : why is ProbeMiss.Busy ? new MembershipInput.Busy(now, ping.Probe)
            : new MembershipInput.Missed(now, ping.Probe, why is ProbeMiss.Refused), stopping);
    }

    private async Task PingForAsync(MembershipEffect.PingFor help, CancellationToken stopping)
    {
        var seen = await QuietlyAsync(
            () => BoxAsync(_calls.PingForAsync(help.Helper, help.Target, help.Timeout, stopping)));
        await GiveAsync(now => new MembershipInput.HelperSaid(now, help.Probe, (bool?)seen), stopping);
    }

    private static async Task<object?> BoxAsync<T>(Task<T> task) => await task;

    /// <summary>Null when this node stops, as the inbox is not read any more then, and when asking failed in a way that
    /// nobody foresaw: the loop waits for a result.</summary>
    private async Task<T?> QuietlyAsync<T>(Func<Task<T?>> ask)
        where T : class
    {
        try
        {
            return await ask();
        }
        catch (OperationCanceledException)
        {
            return null;
        }
        catch (Exception e)
        {
            Report(e, "an answer");
            return null;
        }
    }

    private static TaskCompletionSource<T> NewAnswer<T>() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    [LoggerMessage(1001, LogLevel.Information, "ring: {Phase}, {Count} successors")]
    private partial void LogPhase(RingPhase phase, int count);

    [LoggerMessage(1002, LogLevel.Information, "{News}")]
    private partial void LogNews(string news);

    [LoggerMessage(1004, LogLevel.Warning,
        "a new member was not admitted: {Count} are known already, the limit; a lying member may have invented some "
        + "({Unsaid} more were not admitted since the last line)")]
    private partial void LogNoRoom(int count, long unsaid);

    [LoggerMessage(1005, LogLevel.Warning,
        "{Count} more membership changes were not reported: too many in a minute; a lying member may have made "
        + "them up")]
    private partial void LogUntold(long count);

    [LoggerMessage(1006, LogLevel.Error,
        "an error of this program: the ring could not take {Input} and went on without it; please report this "
        + "({Unsaid} more since the last line)")]
    private partial void LogFault(Exception fault, string input, long unsaid);

    [LoggerMessage(1007, LogLevel.Warning,
        "{Name} tells more about other members than an honest node would: {Count} records were passed over")]
    private partial void LogExcess(string name, int count);

    [LoggerMessage(1003, LogLevel.Warning, "{Trouble}")]
    private partial void LogTrouble(string trouble);
}

/// <summary>What the ring starts with.</summary>
/// <param name="Founders">The members that the genesis names, with addresses where known.</param>
internal sealed record RingStart(
    Peer Self, ulong Incarnation, ImmutableArray<Peer> Founders, RingOptions Ring, MembershipOptions Membership);
