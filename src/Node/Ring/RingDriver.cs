using System.Collections.Immutable;
using System.Threading.Channels;
using ChordChat.Core.Ring;
using ChordChat.Node.Hosting;
using ChordChat.Node.Transport;
using ChordChat.Node.View;

namespace ChordChat.Node.Ring;

/// <summary>The ring's loop: one reader of one inbox owns all state; slow peers are tasks that come back as
/// inputs.</summary>
internal sealed partial class RingDriver : BackgroundService
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
    private readonly NewsBudget _news = new();
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

    /// <summary>Reveals the ring state to somebody who will act on it.</summary>
    public async Task<RingAnswer> ReadAsync(CancellationToken cancellation)
    {
        var answer = NewAnswer<RingAnswer>();
        await _inbox.Writer.WriteAsync(new RingWork.OnRing(new RingInput.RingRead(), answer), cancellation);
        return await answer.Task.WaitAsync(cancellation);
    }

    /// <summary>Answers a probe.</summary>
    public async Task<MembershipEffect.Reply> PingedAsync(
        Member from, ImmutableArray<Member> gossip, bool wantAll, ulong digest, CancellationToken cancellation)
    {
        var answer = NewAnswer<MembershipEffect.Reply>();
        await _inbox.Writer.WriteAsync(
            new RingWork.OnMembers(now => new MembershipInput.Pinged(now, from, gossip, wantAll, digest), answer),
            cancellation);
        return await answer.Task.WaitAsync(cancellation);
    }

    public ValueTask GiveAsync(RingInput input, CancellationToken cancellation) =>
        _inbox.Writer.WriteAsync(new RingWork.OnRing(input), cancellation);

    public ValueTask GiveAsync(Func<TimeSpan, MembershipInput> input, CancellationToken cancellation) =>
        _inbox.Writer.WriteAsync(new RingWork.OnMembers(input), cancellation);

    /// <summary>False while the inbox is full.</summary>
    public bool TryGive(Func<TimeSpan, MembershipInput> input) =>
        _inbox.Writer.TryWrite(new RingWork.OnMembers(input));

    public ValueTask GiveAsync(RingWork work, CancellationToken cancellation) =>
        _inbox.Writer.WriteAsync(work, cancellation);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await foreach (var work in _inbox.Reader.ReadAllAsync(stoppingToken))
            Handle(work, stoppingToken);
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
                    _ = _calls.NotifyAsync(to, _now.Self, next.Options.AskTimeout, stopping);
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
                    LogPhase(phase, next.Successors.Length);
                    break;
            }
    }

    private void StepMembers(
        MembershipInput input, TaskCompletionSource<MembershipEffect.Reply>? answer, CancellationToken stopping)
    {
        var (next, effects) = MembershipProtocol.Step(_now.Membership, input, _random);
        Publish(_now with { Membership = next });
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
                case MembershipEffect.CacheChanged:
                    StepRing(_now.Membership.ForRing(), null, stopping);
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

    private void Publish(RingSnapshot next) => Volatile.Write(ref _now, next);

    private async Task AskRingAsync(ulong nonce, Peer to, CancellationToken stopping)
    {
        var answer = await Quietly(_calls.GetRingAsync(to, _now.Self, _now.Ring.Options.AskTimeout, stopping));
        await GiveAsync(
            answer is null ? new RingInput.AskTimedOut(nonce) : new RingInput.Answered(nonce, answer), stopping);
    }

    private async Task AskAliveAsync(ulong nonce, Peer to, CancellationToken stopping)
    {
        var answer = await Quietly(
            _calls.AskAliveAsync(to, _now.Members.Own, _now.Ring.Options.AskTimeout, stopping));
        await GiveAsync(
            answer is null ? new RingInput.AskTimedOut(nonce) : new RingInput.StillAlive(nonce), stopping);
    }

    private async Task StabilizeSoonAsync(TimeSpan within, CancellationToken stopping)
    {
        var least = TimeSpan.FromMilliseconds(10);
        await Quietly(Task.Delay(least + ((within - least) * Random.Shared.NextDouble()), _time, stopping)
            .ContinueWith(_ => (object?)null, TaskScheduler.Default));
        await GiveAsync(new RingInput.StabilizeDue(), stopping);
    }

    /// <summary>Its result waits for room in the inbox: one that is lost would leave the question open.</summary>
    private async Task PingAsync(MembershipEffect.Ping ping, CancellationToken stopping)
    {
        var refused = false;
        var answer = await Quietly(_calls.PingAsync(ping, () => refused = true, stopping));
        await GiveAsync(now => answer is null
            ? new MembershipInput.Missed(now, ping.Probe, refused)
            : new MembershipInput.Acked(now, ping.Probe, answer.From, answer.Gossip), stopping);
    }

    private async Task PingForAsync(MembershipEffect.PingFor help, CancellationToken stopping)
    {
        var seen = await Quietly(BoxAsync(_calls.PingForAsync(help.Helper, help.Target, help.Timeout, stopping)));
        await GiveAsync(now => new MembershipInput.HelperSaid(now, help.Probe, (bool?)seen), stopping);
    }

    private static async Task<object?> BoxAsync(Task<bool?> task) => await task;

    /// <summary>Null when this node stops; the inbox is not read any more then.</summary>
    private static async Task<T?> Quietly<T>(Task<T?> task)
        where T : class
    {
        try
        {
            return await task;
        }
        catch (OperationCanceledException)
        {
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

    [LoggerMessage(1003, LogLevel.Warning, "{Trouble}")]
    private partial void LogTrouble(string trouble);
}

/// <summary>What the ring starts with.</summary>
/// <param name="Founders">The members that the genesis names, with addresses where known.</param>
internal sealed record RingStart(
    Peer Self, ulong Incarnation, ImmutableArray<Peer> Founders, RingOptions Ring, MembershipOptions Membership);
