using System.Runtime.CompilerServices;
using ChordChat.Core.Chat;
using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Registers;
using ChordChat.Node.Chat;
using ChordChat.Node.Tiles;

namespace ChordChat.Tests.Cluster.Chat;

/// <summary>The whole cluster's registers and sets in memory: linearizable by a lock, cut off on request.</summary>
internal sealed class MemoryReplication(IReadOnlyList<Peer> members)
    : IRegisters, IRegisterGlimpses, IMessageSets, IMailboxCounts
{
    private readonly Lock _turn = new();
    private int _silentCount;
    private readonly Dictionary<string, ReadOnlyMemory<byte>> _registers = [];
    private readonly Dictionary<string, ReadOnlyMemory<byte>> _straggler = [];
    private readonly Dictionary<string, List<StoredMessage>> _sets = [];
    private readonly Dictionary<string, HashSet<MessageId>> _tombstones = [];

    /// <summary>No majority answers; only one copy does, which has what all have unless it is a straggler.</summary>
    public bool IsCut { get; set; }

    /// <summary>The next change of this register is accepted by one copy; the others die before they hear of it.
    /// </summary>
    public RegisterKey? DiesAtAcceptOf { get; set; }

    /// <summary>From the next change of this register on no majority answers.</summary>
    public RegisterKey? CutsAtChangeOf { get; set; }

    /// <summary>A register whose reading ends in a way that nobody expects.</summary>
    public RegisterKey? Broken { get; set; }

    /// <summary>Whether every reading of a set is.</summary>
    public bool BreaksScans { get; set; }

    /// <summary>The copy that answers in a cut hears of no change of this register any more.</summary>
    public void LeaveBehind(RegisterKey key)
    {
        lock (_turn)
            _straggler[key.Name] = _registers.GetValueOrDefault(key.Name);
    }

    public int MessageCountMax { get; set; } = MailboxLimits.MessageCountMax;

    /// <summary>What a scan waits for before its first page.</summary>
    public Task ScanGate { get; set; } = Task.CompletedTask;

    public int ScanCount { get; private set; }

    public async Task<ChangeOutcome> ChangeAsync(
        RegisterKey key, Func<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>?> decide, CancellationToken cancellation)
    {
        await Task.Yield();
        lock (_turn)
        {
            if (CutsAtChangeOf == key)
                (CutsAtChangeOf, IsCut) = (null, true);
            if (IsCut)
                return new ChangeOutcome.Unavailable(1, 2);
            var current = _registers.GetValueOrDefault(key.Name);
            if (decide(current) is not { } next)
                return new ChangeOutcome.Declined(current);
            if (DiesAtAcceptOf == key)
            {
                (DiesAtAcceptOf, IsCut) = (null, true);
                _straggler[key.Name] = next.ToArray();
                return new ChangeOutcome.Unknown();
            }

            _registers[key.Name] = next.ToArray();
            return new ChangeOutcome.Stored(next);
        }
    }

    /// <summary>A register that is read only once <see cref="Silence"/> is over.</summary>
    public RegisterKey? Silent { get; set; }

    /// <summary>How often it was asked for.</summary>
    public int SilentCount => _silentCount;

    /// <summary>Ends when it is asked for.</summary>
    public TaskCompletionSource SilentAsked { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public TaskCompletionSource Silence { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public async Task<ReadOutcome> ReadAsync(RegisterKey key, CancellationToken cancellation) =>
        await GlimpseAsync(key, cancellation) is Glimpse.Agreed(var value)
            ? new ReadOutcome.Agreed(value)
            : new ReadOutcome.Unavailable(1, 2);

    /// <summary>A register of which some copies answer at once and no majority does in time.</summary>
    public RegisterKey? Late { get; set; }

    /// <summary>What those copies that answer hold of some registers, where no majority does.</summary>
    public Dictionary<RegisterKey, UnprovenValue> Shown { get; } = [];

    public async Task<Glimpse> GlimpseWithinAsync(RegisterKey key, CancellationToken patience)
    {
        try
        {
            return await GlimpseAsync(key, patience);
        }
        catch (OperationCanceledException)
        {
            return new Glimpse.Unproven(Shown.GetValueOrDefault(key), 1, 2);
        }
    }

    public async Task<UnprovenValue?> PeekAsync(RegisterKey key, CancellationToken cancellation) =>
        await GlimpseAsync(key, cancellation) is Glimpse.Agreed(var value) ? new UnprovenValue(value) : null;

    public async Task<Glimpse> GlimpseAsync(RegisterKey key, CancellationToken cancellation)
    {
        if (key == Broken)
            throw new InvalidOperationException("broken by the test");
        if (key == Silent)
        {
            Interlocked.Increment(ref _silentCount);
            SilentAsked.TrySetResult();
        }

        await (key == Silent ? Silence.Task : Task.CompletedTask).WaitAsync(cancellation);
        if (key == Late)
            await Task.Delay(Timeout.InfiniteTimeSpan, cancellation);
        await Task.Yield();
        lock (_turn)
        {
            var agreed = _registers.GetValueOrDefault(key.Name);
            if (!IsCut)
                return new Glimpse.Agreed(agreed);
            if (Shown.TryGetValue(key, out var shown))
                return new Glimpse.Unproven(shown, 1, 2);
            var seen = _straggler.TryGetValue(key.Name, out var old) ? old : agreed;
            return new Glimpse.Unproven(seen.IsEmpty ? null : new UnprovenValue(seen), 1, 2);
        }
    }

    /// <summary>When the last message that was added had first been handed in.</summary>
    public long LastSentMs { get; private set; }

    /// <summary>All copies of a message are on disk before whoever adds it does anything else.</summary>
    public bool KeepsAllAtOnce { get; set; }

    /// <summary>Every message comes too late.</summary>
    public bool TakesNothingNew { get; set; }

    public async Task<AddOutcome> AddAsync(
        SetKey set,
        HandedIn handedIn,
        MessageId id,
        ReadOnlyMemory<byte> content,
        Action<CopiesKept>? progress,
        CancellationToken cancellation)
    {
        LastSentMs = handedIn.AtMs;
        // At once, because calls keep their order.
        var outcome = TakesNothingNew ? new AddOutcome.TooLate() : Add(set, handedIn, id, content);
        if (outcome is AddOutcome.Stored && KeepsAllAtOnce)
            progress?.Invoke(new CopiesKept(Copies(3), 3));
        await Task.Yield();
        if (outcome is AddOutcome.Stored)
            _ = Task.Run(() => progress?.Invoke(new CopiesKept(Copies(3), 3)), cancellation);
        return outcome;
    }

    private AddOutcome Add(SetKey set, HandedIn handedIn, MessageId id, ReadOnlyMemory<byte> content)
    {
        lock (_turn)
        {
            if (IsCut)
                return new AddOutcome.Queued(new CopiesKept([members[0]], 3));
            var messages = _sets.TryGetValue(set.Name, out var there) ? there : _sets[set.Name] = [];
            if (messages.Exists(there => there.Id == id && !there.Content.Span.SequenceEqual(content.Span)))
                return handedIn.IsQuiet
                    ? new AddOutcome.Stored(new CopiesKept(Copies(2), 3), IsOther: true)
                    : new AddOutcome.Occupied();
            var isBuried = Tombstones(set).Contains(id);
            var isNew = messages.All(message => message.Id != id) && !isBuried;
            if (isNew && messages.Count >= MessageCountMax)
                return new AddOutcome.Full();
            if (isNew)
                messages.Add(new StoredMessage(id, content.ToArray()));
            return new AddOutcome.Stored(new CopiesKept(Copies(2), 3), isBuried);
        }
    }

    public async Task<bool> AcknowledgeAsync(SetKey set, IReadOnlyList<MessageId> ids, CancellationToken cancellation)
    {
        await Task.Yield();
        lock (_turn)
        {
            if (IsCut)
                return false;
            Tombstones(set).UnionWith(ids);
            _sets.GetValueOrDefault(set.Name)?.RemoveAll(message => Tombstones(set).Contains(message.Id));
            return true;
        }
    }

    public async IAsyncEnumerable<IReadOnlyList<StoredMessage>> ScanAsync(
        SetKey set, [EnumeratorCancellation] CancellationToken cancellation)
    {
        await ScanGate.WaitAsync(cancellation);
        List<StoredMessage> all;
        lock (_turn)
        {
            ScanCount++;
            if (IsCut)
                throw new NoMajorityException("cut");
            if (BreaksScans)
                throw new InvalidOperationException("broken by the test");
            all = [.. _sets.GetValueOrDefault(set.Name) ?? []];
        }

        foreach (var page in all.Chunk(64))
            yield return page;
    }

    public ValueTask<SetPlace> PlaceAsync(SetKey set, CancellationToken cancellation) =>
        ValueTask.FromResult(new SetPlace(new(new(7, 0), 0, 1), members));

    public async Task<FoundPlace> FindPlaceAsync(SetKey set, CancellationToken cancellation) =>
        new(await PlaceAsync(set, cancellation), IsCut ? [] : members);

    public Task<IReadOnlyList<CopiesKept>> HoldersAsync(
        SetKey set, IReadOnlyList<MessageId> ids, CancellationToken cancellation) =>
        Task.FromResult<IReadOnlyList<CopiesKept>>([.. ids.Select(_ => new CopiesKept(IsCut ? [] : members, 3))]);

    public int PendingCount(string user) => Kept(user).Count;

    /// <summary>What a user's mailbox holds.</summary>
    public IReadOnlyList<StoredMessage> Kept(string user)
    {
        lock (_turn)
            return [.. _sets.GetValueOrDefault(SetKey.Mailbox(user).Name) ?? []];
    }

    private HashSet<MessageId> Tombstones(SetKey set) =>
        _tombstones.TryGetValue(set.Name, out var ids) ? ids : _tombstones[set.Name] = [];

    private Peer[] Copies(int count) => [.. Enumerable.Range(0, count).Select(i => members[i % members.Count])];
}
