using System.Numerics;
using ChordChat.Core.Ring;
using ChordChat.Core.Tiles.Epochs;

namespace ChordChat.Core.Tiles;

/// <summary>A client operation or a piece of maintenance on one tile, as a step machine: input in, effects
/// out.</summary>
/// <remarks>
/// One thread at a time. The list a step returns is used again by the next step: carry it out first. The host hands
/// each reply back with the very request object it answers, so that late answers of earlier rounds are told apart.
/// </remarks>
public abstract class Coordinator
{
    private readonly List<Effect> _effects = [];
    private ConfigurationVoices? _voices;
    private ulong _random;
    private int _failures;
    private volatile bool _isDone;

    /// <param name="seed">Randomness for the backoff; any number, another for each coordinator.</param>
    private protected Coordinator(TileConfiguration configuration, CoordinatorOptions options, ulong seed) =>
        (Configuration, Options, _random) = (configuration, options, seed);

    /// <summary>The configuration that the operation runs at; moves on when a newer one is heard of.</summary>
    public TileConfiguration Configuration { get; private set; }

    /// <summary>Nothing more will come: drop it and its timer.</summary>
    /// <remarks>Others may look from another thread: what came of it is there before this says so.</remarks>
    public bool IsDone
    {
        get => _isDone;
        private protected set => _isDone = value;
    }

    /// <summary>The host gives it up, whatever it waits for.</summary>
    public void Abandon() => IsDone = true;

    private protected CoordinatorOptions Options { get; }

    private protected int Majority => Configuration.Majority;

    public IReadOnlyList<Effect> Start() => Step(Begin);

    /// <summary>Takes a reply to a request that this coordinator sent.</summary>
    public IReadOnlyList<Effect> On(NodeId from, ReplicaRequest request, ReplicaReply reply)
    {
        _effects.Clear();
        if (IsDone)
            return _effects;
        if (_voices is { } voices && voices.IsQuestion(request))
        {
            HearAnswer(voices, from, request.At.Tile, reply);
        }
        else if (reply is ReplicaReply.Stale stale && IsNews(stale.Newest))
        {
            if (!Hear(from, stale.Newest, stale.Previous))
                OnSilence(from, request);
            if (!IsDone)
                AskAround(from);
        }
        else
        {
            OnReply(from, request, reply);
        }

        return _effects;
    }

    /// <summary>The transport knows that no reply will come from this member.</summary>
    public IReadOnlyList<Effect> OnUnreachable(NodeId from, ReplicaRequest request)
    {
        _effects.Clear();
        if (IsDone)
            return _effects;
        if (_voices is { } voices && voices.IsQuestion(request))
            HearAnswer(voices, from, request.At.Tile, null);
        else
            OnSilence(from, request);
        return _effects;
    }

    public IReadOnlyList<Effect> OnTimeout()
    {
        _voices?.NextRound();
        return Step(() =>
        {
            if (!Believe())
                OnTimer();
        });
    }

    /// <summary>The host has passed on what the last <see cref="Effect.Deliver"/> brought and has room for
    /// more.</summary>
    public IReadOnlyList<Effect> OnTaken() => Step(Resume);

    private protected abstract void Begin();
    private protected abstract void OnReply(NodeId from, ReplicaRequest request, ReplicaReply reply);
    private protected abstract void OnSilence(NodeId from, ReplicaRequest request);
    private protected abstract void OnTimer();
    private protected virtual void Resume() { }

    /// <summary>The node that runs this, whose own replica is believed; null when this makes no difference.</summary>
    private protected virtual NodeId? Self => null;

    /// <summary>Whoever was asked what it knows of a claim has answered, and the claim is not believed.</summary>
    private protected virtual void OnDoubtful() { }

    private protected bool IsNews(TileConfiguration newest) =>
        Configuration.Tile.Contains(newest.Tile) && newest.IsNewerThan(Configuration);

    /// <summary>A node says that this configuration was decided. docs/protocol.md#one-voice-is-a-claim: it is
    /// <see cref="Meet"/> once more than one says so; until then the node has said nothing.</summary>
    /// <returns>Whether it is believed.</returns>
    private protected bool Hear(NodeId from, TileConfiguration newest, TileConfiguration? previous)
    {
        if (from == Self)
        {
            Meet(newest, previous);
            return true;
        }

        if (!Options.MayFollow(Configuration, newest))
            return false;
        _voices ??= new(Configuration, Options);
        _voices.Claim(from, newest, previous);
        return Believe();
    }

    /// <summary>Asks those who must know it, too.</summary>
    private protected void AskAround(NodeId from)
    {
        foreach (var (node, question) in _voices?.Ask(from) ?? [])
            Send(node, question);
    }

    private void HearAnswer(ConfigurationVoices voices, NodeId from, TileId tile, ReplicaReply? reply)
    {
        if (voices.Answer(from, tile, reply))
            AskAround(from); // Before anything is believed: they may know what was before.
        if (Believe())
            return;
        if (!voices.IsWaiting)
            OnDoubtful();
    }

    private bool Believe()
    {
        if (_voices?.Believed() is not var (newest, previous))
            return false;
        _voices = null;
        Meet(newest, previous);
        return true;
    }

    /// <summary>Goes on at a newer configuration. Epochs only grow, so this ends.</summary>
    private protected virtual void Meet(TileConfiguration newest, TileConfiguration? previous)
    {
        Configuration = newest;
        _effects.Add(new Effect.Learned(newest, previous));
        Begin();
    }

    private protected void Emit(Effect effect) => _effects.Add(effect);

    private protected void Send(NodeId to, ReplicaRequest request) => _effects.Add(new Effect.Send(to, request));

    private protected void SetTimer(TimeSpan delay) => _effects.Add(new Effect.SetTimer(delay));

    /// <summary>Counts a failed round. False when it was the last one.</summary>
    private protected bool MayTryAgain() => ++_failures < Options.RoundsMax;

    /// <summary>A random wait that doubles with every failure, so that rivals get out of each other's way.</summary>
    private protected TimeSpan Backoff()
    {
        var ceiling = Math.Min(Options.BackoffMax.Ticks, Options.BackoffStart.Ticks << Math.Min(_failures, 20));
        _random = unchecked((_random * 6364136223846793005) + 1442695040888963407); // Knuth's MMIX generator.
        return TimeSpan.FromTicks((long)(ceiling * (0.5 + ((_random >> 11) * (0.5 / (1UL << 53))))));
    }

    private List<Effect> Step(Action step)
    {
        _effects.Clear();
        if (!IsDone)
            step();
        return _effects;
    }

    /// <summary>Members as bits; a configuration has at most 64.</summary>
    private protected struct MemberSet
    {
        public ulong Bits { get; private set; }

        public readonly int Count => BitOperations.PopCount(Bits);

        public readonly bool Contains(int member) => (Bits & (1UL << member)) != 0;

        public void Add(int member) => Bits |= 1UL << member;

        public void Remove(int member) => Bits &= ~(1UL << member);
    }
}
