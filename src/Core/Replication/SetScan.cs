using System.Runtime.InteropServices;
using ChordChat.Core.Ring;

namespace ChordChat.Core.Replication;

/// <summary>Reads all messages of a set that are kept at a majority and not acknowledged, page by page, each id
/// once.</summary>
/// <remarks>
/// docs/protocol.md#set. Pages of a majority of members are united by id. A message seen at a majority is delivered at
/// once; what only some hold is added to the others first (read repair), and their answer tells whether it was missing
/// there or acknowledged. Order is roughly that of arrival at the first member. The members are read in step, and not
/// ahead of a paced reader, so that a scan holds a page of each and what only some of them have.
/// </remarks>
public sealed class SetScan(TileConfiguration configuration, string set, CoordinatorOptions options, ulong seed)
    : Coordinator(configuration, options, seed)
{
    private const int RepairsAtOnce = 32;

    private readonly HashSet<MessageId> _delivered = [];
    private readonly Dictionary<MessageId, Sighting> _sightings = [];
    private readonly List<SetMessage> _ready = [];
    private readonly Queue<ReplicaRequest.Add> _repairs = [];
    private readonly Dictionary<ReplicaRequest, int> _repairing = new(ReferenceEqualityComparer.Instance);
    private Stream[] _streams = [];
    private bool _mending;
    private bool _waiting;
    private bool _progress;
    private bool _untaken;

    /// <summary>Whether the host says <see cref="Coordinator.OnTaken"/> after each delivery; until then no page is
    /// asked for and no time runs.</summary>
    public bool IsPaced { get; init; }

    /// <summary>Unix milliseconds of now: what read repair adds counts as handed in then.</summary>
    public long BegunMs { get; init; } = long.MaxValue;

    /// <summary>What came of it; null until that is known.</summary>
    public SetScanOutcome? Outcome { get; private set; }

    private enum Standing
    {
        Unasked,
        Reading,
        Paused,
        Finished,
        Failed,
    }

    private protected override void Begin()
    {
        _streams = [.. Configuration.Members.Select(member => new Stream(member))];
        (_mending, _waiting) = (false, false);
        _sightings.Clear();
        _repairs.Clear();
        _repairing.Clear();
        for (var member = 0; member < Majority; member++)
            Read(_streams[member], after: 0);
        SetTimer(Options.RoundTimeout);
    }

    private protected override void OnReply(NodeId from, ReplicaRequest request, ReplicaReply reply)
    {
        if (_repairing.ContainsKey(request))
            OnRepaired((ReplicaRequest.Add)request, from, reply);
        else if (FindStream(from, request) is not { } stream)
            return;
        else if (reply is ReplicaReply.Scanned page
            && (!page.More || page.Next > ((ReplicaRequest.Scan)request).After)) // Or it would never end.
            OnPage(stream, page);
        else
            Fail(stream);
        Flush();
        ReadOn();
    }

    private protected override void OnSilence(NodeId from, ReplicaRequest request)
    {
        if (_repairing.ContainsKey(request))
            BeginAgain();
        else if (FindStream(from, request) is { } stream)
            Fail(stream);
        ReadOn();
    }

    private protected override void Resume()
    {
        if (!_untaken)
            return;
        _untaken = false;
        _progress = true; // The time that the reader took is not the members'.
        SetTimer(Options.RoundTimeout);
        ReadOn();
    }

    private protected override void OnTimer()
    {
        if (_untaken)
            return; // The timer starts again with the reader.
        if (_waiting)
            Begin();
        else if (_progress)
            SetTimer(Options.RoundTimeout);
        else if (!MayTryAgain())
            GiveUp();
        else if (_mending)
            Begin();
        else
            Widen();
        _progress = false;
    }

    private Stream? FindStream(NodeId from, ReplicaRequest request) =>
        Array.Find(_streams, stream => stream.Node == from && ReferenceEquals(stream.Asked, request));

    private void Read(Stream stream, long after)
    {
        stream.Standing = Standing.Reading;
        stream.Asked = new ReplicaRequest.Scan(Configuration.At, set, after, Options.ScanRowsMax);
        Send(stream.Node, stream.Asked);
    }

    private void OnPage(Stream stream, ReplicaReply.Scanned page)
    {
        _progress = true;
        var member = Array.IndexOf(_streams, stream);
        foreach (var message in page.Messages)
            See(member, message);
        stream.Asked = null;
        if (page.More)
        {
            (stream.Standing, stream.Next) = (Standing.Paused, page.Next);
            return;
        }

        stream.Standing = Standing.Finished;
        if (!_mending && _streams.Count(other => other.Standing == Standing.Finished) >= Majority)
            Mend();
    }

    /// <summary>Asks for the next pages once a majority has answered for the last ones and they were taken.</summary>
    private void ReadOn()
    {
        if (_untaken || _mending || _waiting || IsDone
            || _streams.Count(stream => stream.Standing is Standing.Paused or Standing.Finished) < Majority)
            return;
        foreach (var stream in _streams)
            if (stream.Standing == Standing.Paused)
                Read(stream, stream.Next);
    }

    private void See(int member, SetMessage message)
    {
        if (_delivered.Contains(message.Id))
            return;
        ref var sighting = ref CollectionsMarshal.GetValueRefOrAddDefault(_sightings, message.Id, out _);
        sighting = (sighting ?? new Sighting(message)).With(message, member);
        if (sighting.Count >= Majority)
            Deliver(message.Id);
    }

    private void Deliver(MessageId id)
    {
        if (_sightings.Remove(id, out var sighting) && _delivered.Add(id))
            _ready.Add(sighting.Message);
    }

    /// <summary>All pages of a majority are here. What not all of that majority hold is added where it is
    /// missing.</summary>
    private void Mend()
    {
        _mending = true;
        Array.ForEach(_streams, stream => stream.Asked = null); // Late pages of others are not awaited any more.
        foreach (var (id, sighting) in _sightings)
            for (var member = 0; member < _streams.Length; member++)
                if (_streams[member].Standing == Standing.Finished && !sighting.IsAt(member))
                {
                    var repair = new ReplicaRequest.Add(Configuration.At, set, id, sighting.Message.Content, BegunMs);
                    _repairing.Add(repair, member);
                    _repairs.Enqueue(repair);
                }

        for (var i = 0; i < RepairsAtOnce; i++)
            RepairNext();
        FinishWhenMended();
    }

    private void RepairNext()
    {
        if (_repairs.TryDequeue(out var repair))
            Send(_streams[_repairing[repair]].Node, repair);
    }

    private void OnRepaired(ReplicaRequest.Add repair, NodeId from, ReplicaReply reply)
    {
        // Where there is no room it is not mended, and read all the same.
        if (reply is not (ReplicaReply.Added or ReplicaReply.Occupied or ReplicaReply.Full or ReplicaReply.NoRoom
            or ReplicaReply.TooMany or ReplicaReply.Buried))
        {
            BeginAgain();
            return;
        }

        if (!_repairing.Remove(repair, out var member) || _streams[member].Node != from)
            return;
        _progress = true;
        if (reply is ReplicaReply.Buried)
            Forget(repair.Id);
        RepairNext();
        FinishWhenMended();
    }

    /// <summary>Somebody has acknowledged it: bury it everywhere instead of showing it again.</summary>
    private void Forget(MessageId id)
    {
        if (!_sightings.Remove(id))
            return;
        var burial = new ReplicaRequest.Acknowledge(Configuration.At, set, [id]);
        foreach (var stream in _streams)
            Send(stream.Node, burial);
    }

    private void FinishWhenMended()
    {
        if (_repairing.Count > 0)
            return;
        foreach (var id in _sightings.Keys.ToArray())
            Deliver(id);
        (Outcome, IsDone) = (new SetScanOutcome.Complete(), true);
    }

    private void Fail(Stream stream)
    {
        (stream.Standing, stream.Asked) = (Standing.Failed, null);
        if (Array.Find(_streams, other => other.Standing == Standing.Unasked) is { } spare)
            Read(spare, after: 0);
        else if (_streams.Count(other => other.Standing == Standing.Failed) > _streams.Length - Majority)
            BeginAgain();
    }

    /// <summary>Somebody is slow: ask everybody else too, and again.</summary>
    private void Widen()
    {
        foreach (var stream in _streams)
            if (stream.Standing == Standing.Unasked || stream.Standing == Standing.Failed)
                Read(stream, after: 0);
            else if (stream.Asked is { } asked)
                Send(stream.Node, asked);
        SetTimer(Options.RoundTimeout);
    }

    private void BeginAgain()
    {
        if (!MayTryAgain())
        {
            GiveUp();
            return;
        }

        Array.ForEach(_streams, stream => stream.Asked = null);
        _repairing.Clear();
        _waiting = true;
        SetTimer(Backoff());
    }

    private void GiveUp() => (Outcome, IsDone) = (new SetScanOutcome.Unavailable(), true);

    private void Flush()
    {
        if (_ready.Count == 0)
            return;
        Emit(new Effect.Deliver([.. _ready]));
        _ready.Clear();
        _untaken = IsPaced;
    }

    /// <summary>A message and who of those that were read has it. Somebody may have sent others under the same id: the
    /// one that more of them have counts, or the one whose bytes come first.</summary>
    private sealed class Sighting(SetMessage message)
    {
        private MemberSet _members;
        private Sighting? _other;

        public SetMessage Message => message;

        public int Count => _members.Count;

        /// <summary>What counts now.</summary>
        public Sighting With(SetMessage seen, int member)
        {
            if (seen.Content.Span.SequenceEqual(message.Content.Span))
            {
                _members.Add(member);
                return this;
            }

            var other = (_other ?? new Sighting(seen)).With(seen, member);
            if (!other.Outweighs(this))
            {
                _other = other;
                return this;
            }

            (_other, other._other) = (other._other, this);
            return other;
        }

        public bool IsAt(int member) => _members.Contains(member) || _other?.IsAt(member) == true;

        private bool Outweighs(Sighting than) => Count != than.Count
            ? Count > than.Count
            : message.Content.Span.SequenceCompareTo(than.Message.Content.Span) < 0;
    }

    private sealed class Stream(NodeId node)
    {
        public NodeId Node => node;
        public Standing Standing { get; set; }
        public ReplicaRequest? Asked { get; set; }
        public long Next { get; set; }
    }
}

/// <summary>How a scan ended.</summary>
public abstract record SetScanOutcome
{
    private SetScanOutcome() { }

    /// <summary>Everything that was kept when the scan began has been delivered.</summary>
    public sealed record Complete : SetScanOutcome;

    /// <summary>No majority answered; what was delivered is right but perhaps not all.</summary>
    public sealed record Unavailable : SetScanOutcome;
}
