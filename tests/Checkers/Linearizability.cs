using System.Diagnostics.CodeAnalysis;

namespace ChordChat.Tests.Checkers;

/// <summary>Whether what clients saw of one object can be told as one call after another.</summary>
/// <remarks>
/// The search of Wing and Gong (1993) with the memory of Lowe (<i>Testing for linearizability</i>, 2017): calls in the
/// order of time, each tried as the next one that took effect; a set of calls that led to a state is tried once. A call
/// of unknown outcome may take effect at any time or never: it is tried last, only where it changes the state, and not
/// where the same was reached with fewer of them.
/// </remarks>
public static class Linearizability
{
    /// <summary>After this many steps the search gives up: far more than a history needs whose clients wait for
    /// answers.</summary>
    public const int StepsMax = 2_000_000;

    private const int StoryMax = 12;

    /// <summary>What is wrong, in words; null if the history is linearizable.</summary>
    /// <param name="operations">Calls to one object, in any order.</param>
    /// <exception cref="UndecidedException">Neither could be shown within <see cref="StepsMax"/> steps.</exception>
    public static string? Fault<TState, TCall, TAnswer>(
        SequentialModel<TState, TCall, TAnswer> model, IReadOnlyCollection<Operation<TCall, TAnswer>> operations)
        where TState : notnull
    {
        var search = new Search<TState, TCall, TAnswer>(model, operations);
        return search.Run() ? null : search.Story();
    }

    private sealed class Search<TState, TCall, TAnswer> where TState : notnull
    {
        private readonly SequentialModel<TState, TCall, TAnswer> _model;
        private readonly Operation<TCall, TAnswer>[] _answered;
        private readonly Operation<TCall, TAnswer>[] _open;
        private readonly Entry _head = new(-1, isReturn: false);
        private readonly Dictionary<Place<TState>, List<Bits>> _tried = [];
        private readonly Stack<Step<TState>> _steps = [];
        private readonly Bits _done;
        private readonly Bits _used;
        private int _left;
        private int _tries;
        private bool _dead;
        private List<Operation<TCall, TAnswer>> _longest = [];
        private Operation<TCall, TAnswer>? _stuckAt;

        public Search(
            SequentialModel<TState, TCall, TAnswer> model, IReadOnlyCollection<Operation<TCall, TAnswer>> operations)
        {
            _model = model;
            _answered = [.. operations.Where(call => call.IsAnswered).OrderBy(call => call.Invoked)];
            _open =
            [
                .. operations.Where(call => call.Outcome == Outcome.Unknown && !model.OnlyReads(call))
                    .OrderBy(call => call.Invoked),
            ];
            (_done, _used, _left) = (new Bits(_answered.Length), new Bits(_open.Length), _answered.Length);
            Link();
        }

        /// <summary>Whether all that was answered can be put in an order.</summary>
        public bool Run()
        {
            var state = _model.Initial;
            var (entry, open) = (_head.Next, 0);
            while (_left > 0)
                if (TryAnswered(entry, ref state) || (!_dead && TryOpen(open, ref state)))
                    (entry, open) = (_head.Next, 0);
                else if (!TryBack(ref state, out entry, out open))
                    return false;
            return true;
        }

        /// <summary>How far the best attempt came, and which answer no order explains.</summary>
        public string Story()
        {
            var before = _longest.TakeLast(StoryMax).Select(call => $"  {call}");
            var after = _answered.Except(_longest).Take(StoryMax).Select(call => $"  {call}");
            return $"{_answered[0].Key} is not linearizable: after {_longest.Count} of {_answered.Length} calls "
                + $"nothing explains {_stuckAt}\nlast in order:\n{string.Join('\n', before)}\n"
                + $"not in order:\n{string.Join('\n', after)}";
        }

        /// <summary>A begin and a return for each, by time; returns of one moment after its begins, since what touches
        /// may overlap.</summary>
        private void Link()
        {
            var calls = _answered.Select((_, i) => new Entry(i, isReturn: false)).ToArray();
            var returns = _answered.Select((_, i) => new Entry(i, isReturn: true)).ToArray();
            var last = _head;
            foreach (var entry in calls.Concat(returns)
                .OrderBy(entry => entry.IsReturn ? _answered[entry.Index].Returned : _answered[entry.Index].Invoked)
                .ThenBy(entry => entry.IsReturn))
                last = entry.PutAfter(last);
            for (var i = 0; i < calls.Length; i++)
                calls[i].Return = returns[i];
        }

        /// <summary>Takes the first call from here on that explains its answer, up to the first return.</summary>
        private bool TryAnswered(Entry? entry, ref TState state)
        {
            _dead = false;
            for (; entry is { IsReturn: false }; entry = entry.Next)
            {
                var operation = _answered[entry.Index];
                var (next, answer) = _model.Apply(state, operation.Call);
                if (!_model.Agrees(answer, operation.Answer) || IsIdle(operation, next))
                    continue;
                _done.Turn(entry.Index);
                // What only reads is never better later than now: no other step needs to be tried here.
                var forced = _model.OnlyReads(operation);
                if (IsNew(next, operation))
                {
                    _steps.Push(new(entry, -1, state, forced));
                    entry.Lift();
                    (state, _left) = (next, _left - 1);
                    return true;
                }

                _done.Turn(entry.Index);
                if (forced)
                    return !(_dead = true);
            }

            return false;
        }

        /// <summary>Only when no answered call fits: one of those that nobody knows of, begun before the first
        /// return.</summary>
        private bool TryOpen(int first, ref TState state)
        {
            var limit = _answered[FirstReturn().Index].Returned;
            for (var i = first; i < _open.Length && _open[i].Invoked <= limit; i++)
            {
                var (next, _) = _model.Apply(state, _open[i].Call);
                if (_used.Has(i) || next.Equals(state) || IsIdle(_open[i], next))
                    continue;
                _used.Turn(i);
                if (IsNew(next, _open[i]))
                {
                    _steps.Push(new(null, i, state, IsForced: false));
                    state = next;
                    return true;
                }

                _used.Turn(i);
            }

            return false;
        }

        /// <summary>Whether the step before was an open call that made no difference to this one: then it can be left
        /// out.</summary>
        private bool IsIdle(Operation<TCall, TAnswer> operation, TState next)
        {
            if (!_steps.TryPeek(out var last) || last.Entry is not null)
                return false;
            var (without, answer) = _model.Apply(last.Before, operation.Call);
            return without.Equals(next) && (!operation.IsAnswered || _model.Agrees(answer, operation.Answer));
        }

        private bool TryBack(ref TState state, out Entry? entry, out int open)
        {
            if (_answered.Length - _left >= _longest.Count)
            {
                _longest = [.. _steps.Reverse().Where(step => step.Entry is not null)
                    .Select(step => _answered[step.Entry!.Index])];
                _stuckAt = _answered[FirstReturn().Index];
            }

            while (_steps.TryPop(out var last))
            {
                state = last.Before;
                (entry, open) = (last.Entry?.Next, 0);
                if (last.Entry is { } taken)
                {
                    _done.Turn(taken.Index);
                    _left++;
                    taken.PutBack();
                    entry = taken.Next;
                }
                else
                {
                    _used.Turn(last.Open);
                    open = last.Open + 1;
                }

                if (!last.IsForced)
                    return true;
            }

            (entry, open) = (null, 0);
            return false;
        }

        private Entry FirstReturn()
        {
            var entry = _head.Next!;
            while (!entry.IsReturn)
                entry = entry.Next!;
            return entry;
        }

        /// <summary>Whether nobody has been here with as few of the open calls used up.</summary>
        private bool IsNew(TState state, Operation<TCall, TAnswer> last)
        {
            if (++_tries > StepsMax)
                throw new UndecidedException(
                    $"{last.Key}: {_answered.Length} calls, {_open.Length} of unknown outcome; "
                    + $"no verdict in {StepsMax} steps");
            var place = new Place<TState>(_done.Copy(), state);
            if (!_tried.TryGetValue(place, out var before))
                _tried.Add(place, [_used.Copy()]);
            else if (before.Any(used => used.IsWithin(_used)))
                return false;
            else
                before.Add(_used.Copy());
            return true;
        }
    }

    /// <summary>One call put in the order: an answered one, or the <paramref name="Open"/>th of those that nobody knows
    /// of.</summary>
    /// <param name="IsForced">Whether no other choice at this point could have been better.</param>
    private readonly record struct Step<TState>(Entry? Entry, int Open, TState Before, bool IsForced);

    /// <summary>A begin or a return in the list of what is still to be put in order.</summary>
    private sealed class Entry(int index, bool isReturn)
    {
        private Entry? _previous;

        public int Index => index;
        public bool IsReturn => isReturn;
        public Entry? Next { get; private set; }
        public Entry? Return { get; set; }

        public Entry PutAfter(Entry previous)
        {
            (_previous, previous.Next) = (previous, this);
            return this;
        }

        /// <summary>Takes a call and its return out.</summary>
        public void Lift()
        {
            TakeOut();
            Return!.TakeOut();
        }

        /// <summary>Undoes the newest <see cref="Lift"/> that was not undone.</summary>
        public void PutBack()
        {
            Return!.PutIn();
            PutIn();
        }

        private void TakeOut()
        {
            _previous!.Next = Next;
            if (Next is not null)
                Next._previous = _previous;
        }

        private void PutIn()
        {
            _previous!.Next = this;
            if (Next is not null)
                Next._previous = this;
        }
    }

    /// <summary>Which calls are in the order, and the state that they led to.</summary>
    private readonly record struct Place<TState>(Bits Done, TState State);

    [SuppressMessage("Design", "CA1067", Justification = "Compared in one set only.")]
    private sealed class Bits : IEquatable<Bits>
    {
        private readonly ulong[] _words;
        private ulong _hash;

        public Bits(int count) => _words = new ulong[(count + 63) / 64];

        private Bits(ulong[] words, ulong hash) => (_words, _hash) = (words, hash);

        public bool Has(int bit) => (_words[bit / 64] >> (bit % 64) & 1) != 0;

        public bool IsWithin(Bits other)
        {
            for (var i = 0; i < _words.Length; i++)
                if ((_words[i] & ~other._words[i]) != 0)
                    return false;
            return true;
        }

        public Bits Copy() => new([.. _words], _hash);

        public bool Equals(Bits? other) =>
            other is not null && _hash == other._hash && _words.AsSpan().SequenceEqual(other._words);

        public override bool Equals(object? obj) => Equals(obj as Bits);

        public override int GetHashCode() => _hash.GetHashCode();

        /// <summary>The hash is the exclusive or of one random-looking number per bit, so one turn costs one
        /// step.</summary>
        public void Turn(int bit)
        {
            _words[bit / 64] ^= 1UL << (bit % 64);
            var mixed = unchecked(((ulong)bit + 1) * 0x9E37_79B9_7F4A_7C15);
            mixed = unchecked((mixed ^ (mixed >> 30)) * 0xBF58_476D_1CE4_E5B9);
            _hash ^= mixed ^ (mixed >> 31);
        }
    }
}
