using System.Collections.Concurrent;
using ChordChat.Core.Chat;
using ChordChat.Node.Tiles;

namespace ChordChat.Node.Chat;

/// <summary>Whose mail people refuse and to whom they have written, as a majority shows it; remembered for
/// seconds.</summary>
/// <remarks>docs/protocol.md, Circle. Only a user's own live session changes it; other nodes only look.</remarks>
internal sealed class Circles(IRegisters registers, IRegisterGlimpses glimpses, ChatClock clock)
{
    /// <summary>How old an answer may be.</summary>
    public static readonly TimeSpan FreshFor = TimeSpan.FromSeconds(5);

    /// <summary>From this age on it is asked for anew beside, so that whoever goes on writing waits for nothing.
    /// </summary>
    private static readonly TimeSpan RenewAfter = TimeSpan.FromSeconds(3);

    /// <summary>How long it counts that no majority answered: until then only asked for beside.</summary>
    private static readonly TimeSpan KnownFor = TimeSpan.FromSeconds(60);

    /// <summary>How long mail waits for a circle.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly ConcurrentDictionary<string, Known> _known = new(); // Changed under the lock, read without it.
    private readonly LinkedList<string> _oldestFirst = new();
    private readonly Lock _turn = new();
    private readonly ConcurrentDictionary<string, Task<Circle?>> _asking = new();
    private int _namesCount;

    /// <param name="Circle">Null when no majority answered, or it cannot be read.</param>
    /// <param name="Place">In the order of ages.</param>
    private sealed record Known(Circle? Circle, long At, LinkedListNode<string> Place)
    {
        public int NamesCount => 1 + (Circle is null ? 0 : Circle.Blocked.Count + Circle.WrittenTo.Count);
    }

    /// <summary>Names remembered of all circles together, where each circle counts as one more: one may have 290 KB.
    /// </summary>
    public int NamesMax { get; init; } = 1_000_000;

    /// <summary>As <see cref="NamesMax"/> counts them.</summary>
    public int NamesCount => Volatile.Read(ref _namesCount);

    /// <summary>Whether <paramref name="user"/> takes no mail of <paramref name="from"/>. Without a majority, and when
    /// what it agrees on cannot be read, it is not known, and mail is taken.</summary>
    public async Task<bool> IsBlockedAsync(string user, string from, CancellationToken cancellation) =>
        await FindAsync(user, cancellation) is { } circle && circle.Blocks(from);

    /// <summary>As <see cref="IsBlockedAsync"/>, from memory.</summary>
    /// <returns>Null when it must be asked for.</returns>
    public bool? IsBlocked(string user, string from)
    {
        if (!_known.TryGetValue(user, out var known) || AgeOf(known) > (known.Circle is null ? KnownFor : FreshFor))
            return null;
        if (AgeOf(known) > RenewAfter)
            _ = AskOnceAsync(user);
        return known.Circle?.Blocks(from) == true;
    }

    /// <summary>Whether <paramref name="writer"/> has ever written to <paramref name="reader"/> and takes messages from
    /// them still; false when no majority answers.</summary>
    public async Task<bool> IsContactAsync(string writer, string reader, CancellationToken cancellation) =>
        UserName.IsValid(writer) && IsContact(await FindAsync(writer, cancellation), reader);

    /// <summary>As <see cref="IsContactAsync"/>, from memory; false when it is not known.</summary>
    public bool IsKnownContact(string writer, string reader) =>
        _known.TryGetValue(writer, out var known) && AgeOf(known) <= KnownFor && IsContact(known.Circle, reader);

    /// <returns>Null when no majority answers.</returns>
    public Task<Circle?> OfAsync(string user, CancellationToken cancellation) => FindAsync(user, cancellation);

    /// <summary>Changes a user's circle, for their own live session, and says what it is then. One that cannot be read
    /// counts as empty here, so that its user can replace it; who changes nothing only asks.</summary>
    public async Task<CircleOutcome> ChangeAsync(
        string user, IReadOnlyCollection<string> block, IReadOnlyCollection<string> unblock,
        IReadOnlyCollection<string> wroteTo, CancellationToken cancellation)
    {
        if (block.Count + unblock.Count + wroteTo.Count == 0)
            return await TellAsync(user, cancellation);
        var (isFull, isDamaged) = (false, false);
        var outcome = await registers.ChangeAsync(
            RegisterKey.Circle(user),
            current =>
            {
                var circle = Circle.TryRead(current);
                var next = (circle ?? Circle.Empty).After(block, unblock, wroteTo);
                (isFull, isDamaged) = (next is null, circle is null);
                return next is null || circle?.IsSameAs(next) == true ? null : (ReadOnlyMemory<byte>?)next.ToBytes();
            },
            cancellation);
        switch (outcome)
        {
            case ChangeOutcome.Stored(var value) when Circle.TryRead(value) is { } now:
                Remember(user, now);
                return isDamaged ? new CircleOutcome.Damaged() : new CircleOutcome.Agreed(now);
            case ChangeOutcome.Declined(var value) when Circle.TryRead(value) is { } now:
                Remember(user, now);
                return isFull ? new CircleOutcome.Full() : new CircleOutcome.Agreed(now);
            default:
                return new CircleOutcome.Unavailable();
        }
    }

    /// <summary>Makes no row, and leaves what cannot be read as it is: docs/protocol.md#circle, #names-of-rows.
    /// </summary>
    private async Task<CircleOutcome> TellAsync(string user, CancellationToken cancellation)
    {
        if (await registers.ReadAsync(RegisterKey.Circle(user), cancellation) is not ReadOutcome.Agreed(var there))
            return new CircleOutcome.Unavailable();
        if (Circle.TryRead(there) is not { } found)
            return new CircleOutcome.Damaged();
        Remember(user, found);
        return new CircleOutcome.Agreed(found);
    }

    private static bool IsContact(Circle? writers, string reader) =>
        writers is not null && writers.HasWrittenTo(reader) && !writers.Blocks(reader);

    private async Task<Circle?> FindAsync(string user, CancellationToken cancellation) =>
        _known.TryGetValue(user, out var known) && AgeOf(known) <= FreshFor
            ? known.Circle
            : await AskOnceAsync(user).WaitAsync(cancellation);

    private Task<Circle?> AskOnceAsync(string user)
    {
        var asked = new TaskCompletionSource<Circle?>(TaskCreationOptions.RunContinuationsAsynchronously);
        var there = _asking.GetOrAdd(user, asked.Task);
        if (there == asked.Task) // Asked only now: an answer takes its question out of the table again.
            _ = AskAsync(user, asked);
        return there;
    }

    private async Task AskAsync(string user, TaskCompletionSource<Circle?> asked)
    {
        Circle? circle = null;
        var before = _known.GetValueOrDefault(user);
        try
        {
            using var patience = new CancellationTokenSource(Patience, clock.Time);
            if (await glimpses.PeekAsync(RegisterKey.Circle(user), patience.Token) is { } newest)
                circle = Circle.TryRead(newest.Shown);
        }
        catch (OperationCanceledException)
        {
            // Not known now: mail is taken, and the client hides what its user does not want.
        }
        catch (Exception cause)
        {
            asked.TrySetException(cause);
        }
        finally
        {
            circle = Remember(user, circle, before);
            _asking.TryRemove(user, out _);
            asked.TrySetResult(circle);
        }
    }

    /// <summary>What a question brought, unless something was learnt meanwhile: a change made here is newer.</summary>
    /// <param name="asked">What was known when it was asked.</param>
    /// <returns>What is known now.</returns>
    private Circle? Remember(string user, Circle? circle, Known? asked)
    {
        lock (_turn)
        {
            if (_known.GetValueOrDefault(user) is { } now && !ReferenceEquals(now, asked))
                return now.Circle;
            Remember(user, circle);
            return circle;
        }
    }

    private void Remember(string user, Circle? circle)
    {
        lock (_turn)
        {
            var known = new Known(circle, clock.Steady, _oldestFirst.AddLast(user));
            if (_known.TryGetValue(user, out var before))
                Leave(before);
            _known[user] = known;
            _namesCount += known.NamesCount;
            while (_oldestFirst.First is { Value: var oldest }
                && (_namesCount > NamesMax || AgeOf(_known[oldest]) > KnownFor)
                && _known.TryRemove(oldest, out var gone))
                Leave(gone);
        }
    }

    /// <summary>The caller has the lock.</summary>
    private void Leave(Known gone)
    {
        _oldestFirst.Remove(gone.Place);
        _namesCount -= gone.NamesCount;
    }

    private TimeSpan AgeOf(Known known) => TimeSpan.FromMilliseconds(clock.Steady - known.At);
}

/// <summary>What became of a change of a circle.</summary>
internal abstract record CircleOutcome
{
    private CircleOutcome() { }

    public sealed record Agreed(Circle Circle) : CircleOutcome;

    /// <summary>What was there could not be read; there is nothing but this change now, or still that if nothing was to
    /// be changed. The client tells all it knows.</summary>
    public sealed record Damaged : CircleOutcome;

    /// <summary>Nothing was changed: no more names can be blocked.</summary>
    public sealed record Full : CircleOutcome;

    /// <summary>No majority has agreed; trying again is harmless.</summary>
    public sealed record Unavailable : CircleOutcome;
}
