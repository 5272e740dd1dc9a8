using System.Runtime.InteropServices;
using ChordChat.Core.Ring;
using static ChordChat.Core.Tiles.Sets.ScanStream;

namespace ChordChat.Core.Tiles.Sets;

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

    /// <summary>Messages held because too few members have shown them, or rows of one member that are passed over; past
    /// this, the other members are asked as well.</summary>
    private const int HeldMax = 2_048;

    private const long HeldBytesMax = 16L << 20;

    private readonly HashSet<MessageId> _delivered = []; // Or acknowledged, as a repair has told.
    private readonly Dictionary<MessageId, ScanSighting> _sightings = [];
    private readonly List<SetMessage> _ready = [];
    private readonly ScanRepairs _repairs = new();
    private ScanStream[] _streams = [];
    private bool _mending;
    private bool _waiting;
    private bool _progress;
    private int _silentRounds;
    private int _mendingRounds;
    private bool _untaken;
    private long _heldBytes;
    private long _deliveredBytes;

    /// <summary>Whether the host says <see cref="Coordinator.OnTaken"/> after each delivery; until then no page is
    /// asked for and no time runs.</summary>
    public bool IsPaced { get; init; }

    /// <summary>Unix milliseconds of now: what read repair adds counts as handed in then.</summary>
    public long BegunMs { get; init; } = long.MaxValue;

    /// <summary>The same calendar later on, for members whose own is ahead of it.</summary>
    public Func<long>? NowMs { get; init; }

    /// <summary>What an honest member of the set has. docs/protocol.md#endless</summary>
    public SetLimits Limits { get; init; } = SetLimits.Default;

    /// <summary>What came of it; null until that is known.</summary>
    public SetScanOutcome? Outcome { get; private set; }

    private protected override void Begin()
    {
        var before = _streams;
        _streams = [.. Configuration.Members.Select(
            member => new ScanStream(member, Array.Find(before, stream => stream.Node == member)))];
        (_waiting, _silentRounds) = (false, 0);
        _sightings.Clear();
        _heldBytes = 0;
        StopMending();
        ReadSpares();
        SetTimer(Options.RoundTimeout);
    }

    private protected override void OnReply(NodeId from, ReplicaRequest request, ReplicaReply reply)
    {
        if (_repairs.IsOpen(request, out var mended) && _streams[mended].Node == from)
            OnRepaired((ReplicaRequest.Add)request, _streams[mended], reply);
        else if (FindStream(from, request) is not { } stream)
            return;
        else if (reply is not ReplicaReply.Scanned page)
            Fail(stream, isFaulty: false);
        else if (stream.Take(page, Limits, (_delivered.Count, _deliveredBytes)))
            OnPage(stream, page);
        else
            Disbelieve(stream);
        Flush();
        ReadOn();
    }

    private protected override void OnSilence(NodeId from, ReplicaRequest request)
    {
        if (_repairs.IsOpen(request, out var mended))
            PassOver([_streams[mended]]);
        else if (FindStream(from, request) is { } stream)
            Fail(stream, isFaulty: false);
        Flush();
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
        _silentRounds = _progress ? 0 : _silentRounds + 1;
        if (_waiting)
            Begin();
        else if (_progress && ++_mendingRounds > Options.RoundsMax && _mending && HasSpare)
            PassOverSlowest();
        else if (_progress)
            SetTimer(Options.RoundTimeout);
        else if (!MayTryAgain())
            GiveUp();
        else if (_mending)
            RepairAgain();
        else
            Widen();
        _progress = false;
    }

    private ScanStream? FindStream(NodeId from, ReplicaRequest request) =>
        Array.Find(_streams, stream => stream.Node == from && ReferenceEquals(stream.Asked, request));

    private void Read(ScanStream stream, long after)
    {
        var page = new ReplicaRequest.Scan(Configuration.At, set, after, Options.ScanRowsMax);
        stream.Ask(page);
        Send(stream.Node, page);
    }

    private void OnPage(ScanStream stream, ReplicaReply.Scanned page)
    {
        _progress = true;
        var member = Array.IndexOf(_streams, stream);
        stream.PassOver(page.Messages.Count(message => !See(member, message)));
        if (stream.HoldsTooMuch(Limits))
        {
            Disbelieve(stream);
            return;
        }

        if (page.More
            && (_sightings.Count > HeldMax || _heldBytes > HeldBytesMax || stream.RowsPassedOver > HeldMax))
            Array.ForEach(Array.FindAll(_streams, other => other.State == Standing.Unasked), other => Read(other, 0));
        if (!page.More && !_mending && IsRead)
            Mend();
    }

    /// <summary>A majority has shown all that it has.</summary>
    private bool IsRead => _streams.Count(stream => stream.State == Standing.Finished) >= Majority;

    /// <summary>Asks for the next pages once a majority has answered for the last ones and they were taken.</summary>
    private void ReadOn()
    {
        if (_untaken || _mending || _waiting || IsDone
            || _streams.Count(stream => stream.State is Standing.Paused or Standing.Finished) < Majority)
            return;
        foreach (var stream in _streams)
            if (stream.State == Standing.Paused)
                Read(stream, stream.Next);
    }

    /// <returns>False: it is passed over, since no honest member shows it.</returns>
    private bool See(int member, SetMessage message)
    {
        if (!SetLimits.IsMessage(message.Content))
            return false;
        if (_delivered.Contains(message.Id))
            return true;
        ref var sighting = ref CollectionsMarshal.GetValueRefOrAddDefault(_sightings, message.Id, out _);
        if (sighting?.IsAt(member) == true)
            return false; // One member has one message of an id.
        _heldBytes -= sighting?.Bytes ?? 0;
        sighting = (sighting ?? new ScanSighting(message)).With(message, member);
        _heldBytes += sighting.Bytes;
        _streams[member].Hold(message.Content.Length);
        if (sighting.Count >= Majority)
            Deliver(message.Id);
        return true;
    }

    private void Deliver(MessageId id)
    {
        if (Drop(id) is not { } sighting || !_delivered.Add(id))
            return;
        _deliveredBytes += sighting.Message.Content.Length;
        _ready.Add(sighting.Message);
    }

    private ScanSighting? Drop(MessageId id)
    {
        if (!_sightings.Remove(id, out var sighting))
            return null;
        _heldBytes -= sighting.Bytes;
        for (var member = 0; member < _streams.Length; member++)
            if (sighting.BytesAt(member) is { } bytes)
                _streams[member].Release(bytes);
        return sighting;
    }

    /// <summary>All pages of a majority are here. What not all of that majority hold is added where it is
    /// missing.</summary>
    private void Mend()
    {
        (_mending, _mendingRounds) = (true, 0);
        Array.ForEach(_streams, stream => stream.Forget()); // Late pages of others are not awaited any more.
        foreach (var (id, sighting) in _sightings)
            for (var member = 0; member < _streams.Length; member++)
                if (_streams[member].State == Standing.Finished && !sighting.IsAt(member))
                    _repairs.Add(new(Configuration.At, set, id, sighting.Message.Content, BegunMs), member);
        for (var i = 0; i < RepairsAtOnce; i++)
            RepairNext();
        FinishWhenMended();
    }

    private void RepairNext()
    {
        if (_repairs.TryNext(out var repair) && _repairs.IsOpen(repair, out var member))
            Send(_streams[member].Node, repair);
    }

    private void OnRepaired(ReplicaRequest.Add repair, ScanStream stream, ReplicaReply reply)
    {
        if (reply is ReplicaReply.TooLate(var theirs) && NowMs is { } now
            && _repairs.IsSentAgain(repair, BegunMs, theirs, now()))
        {
            RepairNext();
            return;
        }

        // Where there is no room it is not mended, and read all the same.
        if (reply is not (ReplicaReply.Added or ReplicaReply.Occupied or ReplicaReply.Full or ReplicaReply.NoRoom
            or ReplicaReply.TooMany or ReplicaReply.Buried))
        {
            PassOver([stream]);
            return;
        }

        _repairs.Answered(repair);
        _progress = true;
        if (reply is ReplicaReply.Buried)
            Forget(repair.Id);
        RepairNext();
        FinishWhenMended();
    }

    /// <summary>Somebody has acknowledged it: bury it everywhere instead of showing it again.</summary>
    private void Forget(MessageId id)
    {
        if (Drop(id) is null)
            return;
        _delivered.Add(id);
        var burial = new ReplicaRequest.Acknowledge(Configuration.At, set, [id]);
        foreach (var stream in _streams)
            Send(stream.Node, burial);
    }

    private void FinishWhenMended()
    {
        if (!_repairs.AreDone)
            return;
        foreach (var id in _sightings.Keys.ToArray())
            Deliver(id);
        (Outcome, IsDone) = (new SetScanOutcome.Complete(), true);
    }

    /// <summary>Repairs without an answer are sent once more; then their members are passed over.</summary>
    private void RepairAgain()
    {
        SetTimer(Options.RoundTimeout);
        if (_silentRounds == 1)
            foreach (var (repair, member) in _repairs.Unanswered)
                Send(_streams[member].Node, repair);
        else
            PassOver([.. _repairs.Unanswered.Select(repair => _streams[repair.Value]).Distinct()]);
        Flush();
        ReadOn();
    }

    /// <summary>A member may answer so slowly that a large mailbox takes hours; as long as another one can be read
    /// instead, it is not waited for.</summary>
    private void PassOverSlowest()
    {
        SetTimer(Options.RoundTimeout);
        var slowest = _repairs.Unanswered.CountBy(repair => repair.Value).MaxBy(count => count.Value).Key;
        PassOver([_streams[slowest]]);
        Flush();
        ReadOn();
    }

    private bool HasSpare => Array.Exists(
        _streams, stream => stream is { State: Standing.Unasked or Standing.Paused, RefusesRepairs: false });

    /// <summary>Members that show what they have and take no repairs: of what they lack nothing can be said, so others
    /// are read instead. What they have shown counts all the same.</summary>
    private void PassOver(ScanStream[] members)
    {
        StopMending();
        _silentRounds = 0;
        Array.ForEach(members, stream => stream.RefuseRepairs());
        if (IsRead)
            Mend();
        else
            ReadInstead();
    }

    private void StopMending()
    {
        _mending = false;
        _repairs.Clear();
    }

    /// <summary>Drops what only this member has shown, since it may be made up, and reads another member instead.
    /// </summary>
    private void Disbelieve(ScanStream stream)
    {
        var member = Array.IndexOf(_streams, stream);
        foreach (var (id, _) in _sightings.Where(held => held.Value.IsOnlyAt(member)).ToArray())
            Drop(id);
        Fail(stream, isFaulty: true);
    }

    private void Fail(ScanStream stream, bool isFaulty)
    {
        stream.Fail(isFaulty);
        ReadInstead();
    }

    private void ReadInstead()
    {
        if (_streams.Count(stream => stream.State == Standing.Failed) > _streams.Length - Majority)
            BeginAgain();
        else
            ReadSpares();
    }

    /// <summary>Reads so many more that a majority is read.</summary>
    private void ReadSpares()
    {
        var missing = Majority - _streams.Count(stream => stream.State is not (Standing.Unasked or Standing.Failed));
        foreach (var spare in _streams.Where(stream => stream.State == Standing.Unasked)
            .OrderBy(stream => stream.RefusesRepairs).Take(missing).ToArray())
            Read(spare, after: 0);
    }

    /// <summary>Somebody is slow: ask everybody else too, and again. Whoever took no repairs takes no time from the
    /// slow one at first.</summary>
    private void Widen()
    {
        foreach (var stream in _streams)
            if (stream.State == Standing.Unasked || (stream.State == Standing.Failed && !stream.IsFaulty
                && (!stream.RefusesRepairs || _silentRounds > 1)))
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

        Array.ForEach(_streams, stream => stream.Forget());
        StopMending();
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
