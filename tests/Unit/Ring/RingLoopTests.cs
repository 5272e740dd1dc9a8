using System.Collections.Immutable;
using ChordChat.Core.Ring;
using ChordChat.Node.Base;
using ChordChat.Node.Ring;
using ChordChat.Tests.Unit.Base;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Xunit;

namespace ChordChat.Tests.Unit.Ring;

/// <summary>docs/protocol.md#ring-state and #ring-gossip: the one loop that owns a node's ring, and what a member that
/// lies can cost it.</summary>
public sealed class RingLoopTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly Member Liar = new(Peers.At(99), 1, Health.Alive, 0);

    private readonly Lines _log = new();
    private readonly RingDriver _ring;
    private readonly RunningLoop _running;

    public RingLoopTests()
    {
        _ring = new(
            new RingStart(Peers.At(1), 1, [], new RingOptions(), new MembershipOptions()),
            null!, new EventLog(TimeProvider.System), new StoppedTime(), _log);
        _running = new(_ring);
    }

    public void Dispose() => _running.Dispose();

    [Fact]
    public async Task A_message_about_any_number_of_members_is_one_step_of_the_ring()
    {
        foreach (var health in (Health[])[Health.Alive, Health.Dead])
        {
            var before = _ring.RingStepCount;
            await PingAsync([.. MadeUp(1_000).Select(member => member with { Health = health })]);
            Assert.Equal(before + 1, _ring.RingStepCount);
            Assert.True(_ring.Now.Members.All.Count(member => member.Health == health) >= 1_000);
        }

        Assert.Equal(1_000, _ring.Now.Ring.Gone.Length);
    }

    [Fact]
    public async Task Whoever_tells_more_than_two_whole_caches_is_heard_no_more_and_others_are()
    {
        var all = MadeUp(4_000);
        await PingAsync(all);
        await PingAsync(With(all, 2));
        await PingAsync(With(all, 3));
        Assert.Equal(
            GossipBudget.AtOnceMax - 8_000, _ring.Now.Members.All.Count(member => member.Incarnation == 3));
        Assert.Contains("99 tells more about other members", Assert.Single(_log.Said), StringComparison.Ordinal);
        var before = _ring.Now.Members[Liar.Peer.Node]!.Incarnation;
        await PingAsync([], Liar with { Incarnation = before + 1 }); // The message itself is read.
        Assert.Equal(before + 1, _ring.Now.Members[Liar.Peer.Node]!.Incarnation);
        await PingAsync(With(all, 4), new Member(Peers.At(98), 1, Health.Alive, 0));
        Assert.Equal(4_000, _ring.Now.Members.All.Count(member => member.Incarnation == 4));
    }

    [Fact]
    public async Task An_input_that_breaks_a_rule_of_this_program_is_dropped_and_said_once_a_minute()
    {
        await PingAsync([]);
        var before = _ring.Now.Members;
        for (var i = 0; i < 3; i++)
        {
            var answer = new TaskCompletionSource<MembershipEffect.Reply>();
            await _ring.GiveAsync(
                new RingWork.OnMembers(_ => throw new InvalidOperationException("broken invariant"), answer),
                CancellationToken.None);
            await Assert.ThrowsAsync<InvalidOperationException>(() => answer.Task.WaitAsync(Patience));
        }

        await PingAsync([]);
        Assert.Same(before, _ring.Now.Members);
        Assert.StartsWith("Error an error of this program", Assert.Single(_log.Said), StringComparison.Ordinal);
        Assert.Equal("broken invariant", _log.Fault?.Message);
    }

    /// <summary>Here there is nobody to call, which the loop did not expect.</summary>
    [Fact]
    public async Task A_question_that_fails_in_an_unknown_way_ends_as_one_without_an_answer()
    {
        await _ring.GiveAsync(
            new RingInput.MembersKnown([Peers.At(50)], 20, []), CancellationToken.None);
        await _ring.GiveAsync(new RingInput.StabilizeDue(), CancellationToken.None);
        using var patience = new CancellationTokenSource(Patience);
        while (_ring.Now.Ring is { Pending: not null } or { NextNonce: 1 })
            await _ring.ReadAsync(patience.Token);
        Assert.Single(_log.Said);
        Assert.IsType<NullReferenceException>(_log.Fault);
    }

    [Fact]
    public void A_budget_is_refilled_evenly_and_remembers_so_many_members()
    {
        var budget = new GossipBudget();
        var now = TimeSpan.FromSeconds(1);
        var all = MadeUp(4_096);
        int Take(int sender) => budget.Take(new NodeId(0, (UInt128)sender), all, now).Length;
        Assert.Equal([4_096, 4_096, 0], new[] { Take(1), Take(1), Take(1) });
        now += TimeSpan.FromSeconds(1);
        Assert.InRange(Take(1), GossipBudget.AtOnceMax / 60, (GossipBudget.AtOnceMax / 60) + 1);
        Assert.Equal(4_096, Take(2));
        now += TimeSpan.FromMinutes(1);
        Assert.Equal([4_096, 4_096, 0], new[] { Take(1), Take(1), Take(1) });
        for (var sender = 0; sender < 3 * MemberBudget.MembersMax; sender++)
        {
            Assert.True(Take(sender) > 0 || sender == 1);
            Assert.InRange(budget.SenderCount, 1, MemberBudget.MembersMax);
        }
    }

    [Fact]
    public void Of_one_members_calls_so_many_wait_for_the_loop_at_once_and_those_of_others_beside_them()
    {
        var line = new CallersInLine();
        var places = Enumerable.Range(0, CallersInLine.OfMemberMax)
            .Select(_ => line.Enter(Liar.Peer.Node)).ToArray();
        var refused = Assert.Throws<RpcException>(() => line.Enter(Liar.Peer.Node));
        Assert.Equal(StatusCode.ResourceExhausted, refused.StatusCode);
        Assert.True(RingFaults.IsTooMany(refused));
        line.Enter(Peers.At(98).Node).Dispose();
        places[3].Dispose();
        places[3].Dispose(); // Counts once.
        line.Enter(Liar.Peer.Node);
        Assert.Throws<RpcException>(() => line.Enter(Liar.Peer.Node));
    }

    /// <summary>Each question for the ring's state makes a node begin its own one anew; what a member makes others call
    /// does not use up what they may call themselves.</summary>
    [Fact]
    public void A_member_that_calls_all_the_time_is_refused_most_calls_and_others_none()
    {
        var time = new ManualTime();
        var paces = new RingPaces(time);
        static int Calls(CallPace pace, Peer caller, int count) =>
            Enumerable.Range(0, count).Count(_ => pace.Allows(caller.Node));
        foreach (var (pace, atOnce, perSecond) in
            ((CallPace, int, int)[])[(paces.GetRing, 100, 10), (paces.FindSuccessor, 500, 50), (paces.PingFor, 64, 10),
                (paces.Audit, 200, 50), (paces.Describe, 60, 10)])
        {
            Assert.Equal(atOnce, Calls(pace, Liar.Peer, 1_000));
            Assert.Equal(10, Calls(pace, Peers.At(98), 10));
            time.Now += TimeSpan.FromSeconds(1);
            Assert.Equal(perSecond, Calls(pace, Liar.Peer, 1_000));
            foreach (var caller in Enumerable.Range(1_000, 10_000))
                Assert.Equal(1, Calls(pace, Peers.At((UInt128)caller), 1));
        }
    }

    /// <summary>docs/protocol.md#ring-state: else no later one would ever be asked.</summary>
    [Fact]
    public async Task A_question_whose_answer_breaks_a_rule_of_this_program_is_forgotten_and_asked_anew()
    {
        var ring = new RingDriver(
            new RingStart(Peers.At(1), 1, [], new RingOptions(), new MembershipOptions()),
            null!, new EventLog(TimeProvider.System), new StoppedTime(), _log);
        var seen = new List<ulong?>();
        var done = new TaskCompletionSource();
        // All of it is in the inbox before the loop begins, and so before the outcome of the questions.
        await ring.GiveAsync(new RingInput.MembersKnown([Peers.At(50)], 20, []), CancellationToken.None);
        await StabilizeAsync();
        await ring.GiveAsync(
            new RingInput.Answered(1, new RingAnswer(true, null, default)), CancellationToken.None);
        await LookAsync();
        await StabilizeAsync();
        await ring.GiveAsync(
            now =>
            {
                done.SetResult();
                return new MembershipInput.Paused(now);
            }, CancellationToken.None);
        using var running = new RunningLoop(ring);
        await done.Task.WaitAsync(Patience);
        Assert.Equal([1, null, 2], seen);

        async Task StabilizeAsync()
        {
            await ring.GiveAsync(new RingInput.StabilizeDue(), CancellationToken.None);
            await LookAsync();
        }

        ValueTask LookAsync() => ring.GiveAsync(
            now =>
            {
                seen.Add(ring.Now.Ring.Pending?.Nonce);
                return new MembershipInput.Paused(now);
            }, CancellationToken.None);
    }

    private static ImmutableArray<Member> MadeUp(int count) =>
    [
        .. Enumerable.Range(1_000, count).Select(number => new Member(
            Peers.At((UInt128)number) with { Name = $"x{number}" }, 1, Health.Alive, 0)),
    ];

    private static ImmutableArray<Member> With(ImmutableArray<Member> members, ulong incarnation) =>
        [.. members.Select(member => member with { Incarnation = incarnation })];

    private Task<MembershipEffect.Reply> PingAsync(ImmutableArray<Member> gossip, Member? from = null) =>
        _ring.PingedAsync(from ?? Liar, gossip, false, 0, CancellationToken.None).WaitAsync(Patience);

    private sealed class Lines : ILogger<RingDriver>
    {
        private readonly Lock _turn = new();
        private readonly List<string> _said = [];

        /// <summary>Warnings and errors that are not about single members.</summary>
        public IReadOnlyList<string> Said
        {
            get
            {
                lock (_turn)
                    return [.. _said];
            }
        }

        public Exception? Fault { get; private set; }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception,
            Func<TState, Exception?, string> formatter)
        {
            lock (_turn)
            {
                if (eventId.Id is 1006 or 1007)
                    _said.Add($"{logLevel} {formatter(state, exception)}");
                Fault = exception ?? Fault;
            }
        }
    }
}
