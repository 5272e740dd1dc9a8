using ChordChat.Core.Ring;
using ChordChat.Core.Tiles.Disks;
using ChordChat.Node.Chat;
using ChordChat.Node.Identity;
using ChordChat.Node.Links;
using ChordChat.Node.Ring;
using ChordChat.Tests.Unit.Base;
using ChordChat.Tests.Unit.Ring;
using ChordChat.Wire;
using Grpc.Core;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace ChordChat.Tests.Unit.Links;

/// <summary>docs/protocol.md#copied-and-restored-disks, "Before any call": each end by itself.</summary>
public sealed class LinkHandshakeTests : IDisposable
{
    private static readonly NodeId Peer = new(7, 7);
    private static readonly DiskRun First = new(1, 11, 0);
    private static readonly DiskRun Second = new(2, 22, 5);
    private static readonly DiskHistory Whole = new([First, Second], 10);

    private readonly TemporaryFolder _folder = new();
    private readonly DataFolder _data;
    private readonly LocalNode _node;
    private readonly DiskMemory _memory;
    private readonly DiskGuard _guard;
    private readonly ApplicationLifetime _life = new(NullLogger<ApplicationLifetime>.Instance);
    private readonly LinkHandshake _handshake;

    public LinkHandshakeTests()
    {
        new ClusterFolder(_folder.Path).Create(
            new(["n1"], 0, Node.Identity.SessionPolicy.Takeover, false), DateTimeOffset.UtcNow);
        _data = DataFolder.Open(_folder["nodes/n1"]);
        _node = new(_data.Identity.Self, "127.0.0.1:1", _data.Incarnation, DateTimeOffset.UtcNow);
        _memory = new(_data, TimeProvider.System, NullLogger<DiskMemory>.Instance);
        _guard = NewGuard([Peer]);
        _guard.Open();
        _handshake = NewHandshake(_guard);
        Assert.True(_memory.Admit(Peer, Whole));
    }

    public void Dispose()
    {
        _data.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Who_has_all_that_was_seen_is_let_in_by_either_end()
    {
        var (calls, answers) = (new Written<CallFrame>(), new Written<AnswerFrame>());
        Assert.NotNull(await CallAsync(Whole, calls));
        Assert.True(_guard.HasWelcomeOf(Peer));
        Assert.NotNull(await AnswerAsync(Whole, answers));
        Assert.All(calls.All, frame => Assert.Null(frame.Refusal));
        Assert.All(answers.All, frame => Assert.Null(frame.Refusal));
    }

    [Fact]
    public async Task Who_lacks_a_start_that_was_seen_is_refused_by_either_end_which_says_what_it_saw()
    {
        var older = new DiskHistory([First], 5);
        var (calls, answers) = (new Written<CallFrame>(), new Written<AnswerFrame>());
        Assert.Null(await CallAsync(older, calls));
        Assert.Equal(2ul, calls.All[^1].Refusal.Seen.Incarnation);
        Assert.True(calls.IsComplete);
        Assert.False(_guard.HasWelcomeOf(Peer));
        Assert.Null(await AnswerAsync(older, answers));
        Assert.Equal(2ul, Assert.Single(answers.All).Refusal.Seen.Incarnation);
    }

    [Fact]
    public async Task Commits_that_are_missing_count_only_in_what_was_asked_for_after_they_were_seen()
    {
        var fewer = Whole with { DurableSeq = 9 };
        var calls = new Written<CallFrame>();
        Assert.Null(await CallAsync(fewer, calls));
        Assert.Equal(10ul, calls.All[^1].Refusal.Seen.DurableSeq);
        // What it says by itself may have been on its way since before.
        Assert.NotNull(await AnswerAsync(fewer, new Written<AnswerFrame>()));
    }

    [Fact]
    public void Who_is_refused_looks_at_its_own_disk_before_it_believes_that()
    {
        var own = _data.Runs.History;
        Assert.True(_handshake.IsRefused(Peer, new() { Seen = own.Sighting.ToWire() }));
        Assert.True(_guard.IsOpen);
        Assert.True(_handshake.IsRefused(Peer, new()
        {
            Seen = (own.Sighting with { Incarnation = own.Now.Incarnation + 1 }).ToWire(),
        }));
        Assert.False(_guard.IsOpen);
        Environment.ExitCode = 0; // It is the test run's own.
    }

    /// <summary>docs/protocol.md#what-a-member-may-ask.</summary>
    [Fact]
    public void One_of_several_is_believed_only_with_the_signature_of_the_node_itself()
    {
        _guard.Others = () => [Peer, new(8, 8), new(9, 9), new(10, 10)];
        var ahead = _data.Runs.History.Sighting with { DurableSeq = 1_000_000 };
        foreach (var liar in (NodeId[])[Peer, Peer, new(8, 8)])
            Assert.True(_handshake.IsRefused(liar, new() { Seen = ahead.ToWire() }));
        Assert.True(_guard.IsOpen);
        var signature = new DiskWord(_data.Identity, TimeProvider.System).Sign(ahead);
        signature[^1] ^= 1;
        Assert.True(_handshake.IsRefused(Peer, Shown(ahead, signature)));
        Assert.True(_guard.IsOpen);
        signature[^1] ^= 1;
        Assert.True(_handshake.IsRefused(Peer, Shown(ahead, signature)));
        Assert.False(_guard.IsOpen);
        Environment.ExitCode = 0; // It is the test run's own.
    }

    [Fact]
    public void More_than_half_of_the_others_are_believed()
    {
        NodeId[] others = [.. Enumerable.Range(0, 4).Select(i => new NodeId(0, 100 + (ulong)i))];
        _guard.Others = () => others;
        for (var i = 0ul; i < 10; i++)
            _handshake.IsRefused(new(0, 200 + i), Ahead); // They are none of the others.
        foreach (var other in others[..3])
        {
            Assert.True(_guard.IsOpen);
            _handshake.IsRefused(other, Ahead);
        }

        Assert.False(_guard.IsOpen);
        Environment.ExitCode = 0; // It is the test run's own.
    }

    /// <summary>docs/protocol.md#voices: one that lies, and one that was stopped; it alone is believed only where there
    /// is no other one.</summary>
    [Theory, InlineData(true), InlineData(false)]
    public void The_only_one_that_is_there_is_not_the_only_one(bool isStoppedOneKnown)
    {
        var (liar, stopped) = (Peers.At(10), Peers.At(20));
        var members = MembershipState.Starting(Peers.At(1), 1, 0, TimeSpan.Zero);
        Say(liar, Health.Alive);
        if (isStoppedOneKnown)
        {
            Say(stopped, Health.Alive);
            Say(stopped, Health.Left);
        }

        _guard.Others = () => Vouching.OthersOf(members, new Dictionary<NodeId, Peer>(), TimeSpan.FromHours(1));
        Assert.True(_handshake.IsRefused(liar.Node, Ahead));
        Assert.Equal(isStoppedOneKnown, _guard.IsOpen);
        Environment.ExitCode = 0; // It is the test run's own.

        void Say(Core.Ring.Peer peer, Health health) => (members, _) = MembershipProtocol.Step(
            members, new MembershipInput.Pinged(TimeSpan.Zero, new(peer, 2, health, 0), [], false, 0), new Prng(1));
    }

    /// <summary>Right after its start it may know only one other node, which lies.</summary>
    [Theory, InlineData(1), InlineData(2), InlineData(3)]
    public void What_is_said_before_a_start_opens_is_judged_when_the_others_are_known(int voices)
    {
        var guard = NewGuard([Peer]);
        var handshake = NewHandshake(guard);
        NodeId[] others = [Peer, .. Enumerable.Range(0, 3).Select(i => new NodeId(0, 100 + (ulong)i))];
        foreach (var other in others[..voices])
            Assert.True(handshake.IsRefused(other, Ahead));
        Assert.Null(DataFolder.QuarantinedBecause(_data.Path));
        guard.Others = () => others;
        guard.Open();
        Assert.Equal(voices <= 2, guard.IsOpen);
        Assert.Equal(voices <= 2, DataFolder.QuarantinedBecause(_data.Path) is null);
        Environment.ExitCode = 0; // It is the test run's own.
    }

    private DiskRefusal Ahead => new()
    {
        Seen = (_data.Runs.History.Sighting with { DurableSeq = 1_000_000 }).ToWire(),
    };

    private DiskGuard NewGuard(NodeId[] others) =>
        new(_data, _node, _life, NullLogger<DiskGuard>.Instance) { Others = () => others };

    private LinkHandshake NewHandshake(DiskGuard guard) =>
        new(_data.Runs, _memory, guard, new(_data.Identity, TimeProvider.System), _node, TimeProvider.System);

    private static DiskRefusal Shown(DiskSighting seen, byte[] signature) => new()
    {
        Seen = seen.ToWire(),
        Signed = new SignedSighting(seen, signature).ToWire(),
    };

    private Task<LinkPeer?> CallAsync(DiskHistory told, Written<CallFrame> calls) => _handshake.CallAsync(
        Peer, calls, new Said<AnswerFrame>(new AnswerFrame { Hello = told.ToWire() }), CancellationToken.None);

    private Task<LinkPeer?> AnswerAsync(DiskHistory told, Written<AnswerFrame> answers) => _handshake.AnswerAsync(
        Peer, new Said<CallFrame>(new CallFrame { Hello = told.ToWire() }), answers, CancellationToken.None);

    private sealed class Said<T>(params T[] frames) : IAsyncStreamReader<T>
    {
        private int _next = -1;

        public T Current => frames[_next];

        public Task<bool> MoveNext(CancellationToken cancellationToken) => Task.FromResult(++_next < frames.Length);
    }

    private sealed class Written<T> : IClientStreamWriter<T>, IServerStreamWriter<T>
    {
        public List<T> All { get; } = [];
        public bool IsComplete { get; private set; }
        public WriteOptions? WriteOptions { get; set; }

        public Task WriteAsync(T message)
        {
            All.Add(message);
            return Task.CompletedTask;
        }

        public Task WriteAsync(T message, CancellationToken cancellationToken) => WriteAsync(message);

        public Task CompleteAsync()
        {
            IsComplete = true;
            return Task.CompletedTask;
        }
    }
}
