using System.Runtime.CompilerServices;
using System.Threading.Channels;
using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Registers;
using ChordChat.Core.Tiles.Sets;
using ChordChat.Node.Ring;

namespace ChordChat.Node.Tiles;

/// <summary>Registers and message sets, kept by the cluster: each operation runs at the tile's members.</summary>
internal sealed class Replicator(
    ReplicaCalls calls,
    TileDirectory directory,
    ConfigurationSearch search,
    Holders holders,
    BallotSource ballots,
    RingDriver ring,
    CoordinatorOptions options,
    IValueRules values,
    TimeProvider time) : IRegisters, IRegisterGlimpses, IMessageSets
{
    public async Task<ChangeOutcome> ChangeAsync(
        RegisterKey key, Func<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>?> decide, CancellationToken cancellation)
    {
        InvalidDataException? damage = null;
        while (true)
        {
            var at = directory.At(key.Point);
            var change = new RegisterChange(at, key.Name, Decide, ballots, options, Seed(), values);
            var outcome = await RunAsync(change, () => change.Outcome, cancellation);
            if (damage is not null)
                throw damage;
            if (outcome is RegisterChangeOutcome.Unavailable
                && await search.FindNewerAsync(key.Point, at, cancellation))
                continue;
            return outcome switch
            {
                RegisterChangeOutcome.Stored stored => new ChangeOutcome.Stored(stored.Value),
                RegisterChangeOutcome.Refused refused => new ChangeOutcome.Declined(refused.Current),
                RegisterChangeOutcome.Unavailable(var reached, var needed) =>
                    new ChangeOutcome.Unavailable(reached, needed),
                _ => new ChangeOutcome.Unknown(),
            };
        }

        // A value that cannot be read fails its caller, not the thread that brought it: a link's, or the writer's.
        ReadOnlyMemory<byte>? Decide(ReadOnlyMemory<byte> current)
        {
            try
            {
                return decide(current);
            }
            catch (InvalidDataException e)
            {
                damage = e;
                return null;
            }
        }
    }

    public async Task<ReadOutcome> ReadAsync(RegisterKey key, CancellationToken cancellation) =>
        await GlimpseAsync(key, cancellation) switch
        {
            Glimpse.Agreed(var value) => new ReadOutcome.Agreed(value),
            Glimpse.Unproven(_, var reached, var needed) => new ReadOutcome.Unavailable(reached, needed),
            var other => throw new InvalidOperationException($"no outcome for {other}"),
        };

    public Task<Glimpse> GlimpseAsync(RegisterKey key, CancellationToken cancellation) =>
        GlimpseAsync(key, _ => { }, cancellation);

    public async Task<Glimpse> GlimpseWithinAsync(RegisterKey key, CancellationToken patience)
    {
        RegisterRead? last = null;
        try
        {
            return await GlimpseAsync(key, read => last = read, patience);
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested)
        {
            return last is null ? new Glimpse.Unproven(null, 0, 1) : Unproven(last.SoFar);
        }
    }

    private static Glimpse.Unproven Unproven(RegisterReadOutcome.Unavailable read) => new(
        read.Newest is { Shown.IsEmpty: false } ? read.Newest : null, read.Reached, read.Needed);

    private async Task<Glimpse> GlimpseAsync(
        RegisterKey key, Action<RegisterRead> begun, CancellationToken cancellation)
    {
        while (true)
        {
            var at = directory.At(key.Point);
            var read = new RegisterRead(at, key.Name, ballots, options, Seed(), values);
            begun(read);
            var outcome = await RunAsync(read, () => read.Outcome, cancellation);
            if (outcome is RegisterReadOutcome.Unavailable && await search.FindNewerAsync(key.Point, at, cancellation))
                continue;
            return outcome switch
            {
                RegisterReadOutcome.Agreed agreed => new Glimpse.Agreed(agreed.Value),
                RegisterReadOutcome.Unavailable unproven => Unproven(unproven),
                var other => throw new InvalidOperationException($"no outcome for {other}"),
            };
        }
    }

    public async Task<UnprovenValue?> PeekAsync(RegisterKey key, CancellationToken cancellation)
    {
        while (true)
        {
            var at = directory.At(key.Point);
            var peek = new RegisterRead(at, key.Name, ballots, options, Seed(), values) { IsPeek = true };
            switch (await RunAsync(peek, () => peek.Outcome, cancellation))
            {
                case RegisterReadOutcome.Agreed(var value):
                    return new UnprovenValue(value);
                case RegisterReadOutcome.Shown(var newest):
                    return newest;
                default:
                    if (await search.FindNewerAsync(key.Point, at, cancellation))
                        continue;
                    return null;
            }
        }
    }

    public async Task<AddOutcome> AddAsync(
        SetKey set,
        HandedIn handedIn,
        MessageId id,
        ReadOnlyMemory<byte> content,
        Action<CopiesKept>? progress,
        CancellationToken cancellation)
    {
        ArgumentOutOfRangeException.ThrowIfZero(content.Length);
        var sentMs = handedIn.AtMs;
        var isCorrected = false;
        while (true)
        {
            var at = directory.At(set.Point);
            var add = new SetAdd(at, set.Name, new SetMessage(id, content), options, Seed())
            {
                SentMs = sentMs,
                From = handedIn.By,
                CountsAnyOfItsId = handedIn.IsQuiet,
            };
            var told = 0;
            var outcome = await RunAsync(add, () => add.Outcome, cancellation, () =>
            {
                if (add.CopyCount > told)
                    progress?.Invoke(Copies(add));
                told = add.CopyCount;
            });
            if (outcome is SetAddOutcome.TooLate(var theirs) && !isCorrected)
            {
                isCorrected = true; // Once: by their calendars, in case that ours is the one that is wrong.
                var byTheirs = SetAdd.ByTheirCalendar(sentMs, theirs, time.GetUtcNow().ToUnixTimeMilliseconds());
                if (byTheirs != sentMs)
                {
                    sentMs = byTheirs;
                    continue;
                }
            }

            if (outcome is SetAddOutcome.Queued && await search.FindNewerAsync(set.Point, at, cancellation))
                continue;
            return outcome switch
            {
                SetAddOutcome.Stored => new AddOutcome.Stored(Copies(add), add.HasOther),
                SetAddOutcome.Refused => new AddOutcome.Full(),
                SetAddOutcome.Occupied => new AddOutcome.Occupied(),
                SetAddOutcome.TooLate => new AddOutcome.TooLate(),
                _ => new AddOutcome.Queued(Copies(add)),
            };
        }
    }

    public async Task<bool> AcknowledgeAsync(
        SetKey set, IReadOnlyList<MessageId> ids, CancellationToken cancellation)
    {
        while (true)
        {
            var at = directory.At(set.Point);
            var bury = new SetAcknowledge(at, set.Name, [.. ids], options, Seed());
            var outcome = await RunAsync(bury, () => bury.Outcome, cancellation);
            if (outcome is SetAcknowledgeOutcome.Stored || !await search.FindNewerAsync(set.Point, at, cancellation))
                return outcome is SetAcknowledgeOutcome.Stored;
        }
    }

    public async IAsyncEnumerable<IReadOnlyList<StoredMessage>> ScanAsync(
        SetKey set, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var at = directory.At(set.Point);
        var scan = new SetScan(at, set.Name, options, Seed())
        {
            IsPaced = true,
            BegunMs = time.GetUtcNow().ToUnixTimeMilliseconds(),
            NowMs = () => time.GetUtcNow().ToUnixTimeMilliseconds(),
        };
        // Paced: the next pages are asked for when the last ones were taken, so no more waits here than was on its way.
        var pages = Channel.CreateUnbounded<IReadOnlyList<SetMessage>>(new() { SingleReader = true });
        SetScanOutcome? outcome = null;
        var operation = new Operation(scan, calls, directory, time, () =>
        {
            if (scan.Outcome is not { } known)
                return;
            outcome = known;
            pages.Writer.TryComplete();
        }, fault => pages.Writer.TryComplete(fault), messages => pages.Writer.TryWrite(messages));
        try
        {
            operation.Start();
            await foreach (var page in pages.Reader.ReadAllAsync(cancellation))
            {
                yield return [.. page.Select(message => new StoredMessage(message.Id, message.Content))];
                operation.Taken();
            }
        }
        finally
        {
            operation.Cancel();
        }

        if (outcome is SetScanOutcome.Complete)
            yield break;
        await search.FindNewerAsync(set.Point, at, cancellation);
        throw new NoMajorityException($"no majority of the members of {at.Tile} answered");
    }

    public ValueTask<SetPlace> PlaceAsync(SetKey set, CancellationToken cancellation)
    {
        var at = directory.At(set.Point);
        return ValueTask.FromResult(new SetPlace(at.At, Peers(at.Members)));
    }

    public async Task<FoundPlace> FindPlaceAsync(SetKey set, CancellationToken cancellation)
    {
        await search.RefreshAsync(set.Point, cancellation);
        var at = directory.At(set.Point);
        var answering = await holders.AnsweringAsync(at, cancellation);
        return new(new(at.At, Peers(at.Members)), Peers(answering));
    }

    public async Task<IReadOnlyList<CopiesKept>> HoldersAsync(
        SetKey set, IReadOnlyList<MessageId> ids, CancellationToken cancellation)
    {
        while (true)
        {
            var at = directory.At(set.Point);
            var have = await holders.AskAsync(at, set, [.. ids], cancellation);
            if (!directory.At(set.Point).IsNewerThan(at))
                return [.. have.Select(nodes => new CopiesKept(
                    Peers(nodes), at.Members.Length, at.Generation, at.Epoch))];
        }
    }

    private async Task<T> RunAsync<T>(
        Coordinator coordinator,
        Func<T?> outcome,
        CancellationToken cancellation,
        Action? progress = null,
        Action<IReadOnlyList<SetMessage>>? deliver = null)
        where T : class
    {
        var ended = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        var operation = new Operation(coordinator, calls, directory, time, () =>
        {
            progress?.Invoke();
            if (outcome() is { } known)
                ended.TrySetResult(known);
        }, fault => ended.TrySetException(fault), deliver);
        operation.Start();
        if (!cancellation.CanBeCanceled)
            return await ended.Task;
        await using var _ = cancellation.UnsafeRegister(_ =>
        {
            if (ended.TrySetCanceled(cancellation))
                operation.Cancel();
        }, null);
        return await ended.Task;
    }

    private CopiesKept Copies(SetAdd add)
    {
        var at = add.Configuration;
        return new(Peers(add.Copies), at.Members.Length, at.Generation, at.Epoch);
    }

    private Peer[] Peers(IReadOnlyList<NodeId> nodes)
    {
        var now = ring.Now;
        var peers = new Peer[nodes.Count];
        for (var i = 0; i < peers.Length; i++)
            peers[i] = now.Find(nodes[i]) ?? new Peer(nodes[i], default, nodes[i].ShortForm, "");
        return peers;
    }

    private static ulong Seed() => (ulong)Random.Shared.NextInt64();
}
