namespace ChordChat.Tests.Checkers;

/// <summary>Linearizability of registers that are only ever appended to, in about linear time and without a
/// search.</summary>
/// <remarks>
/// If every entry is unique and every answer is the whole list, all answers must be prefixes of one list, and an answer
/// holds whatever had been answered before its call began. That is the same as linearizable, up to operations whose
/// outcome nobody knows: their entries may stand anywhere after their begin, or nowhere.
/// </remarks>
public static class AppendChains
{
    /// <summary>What is wrong with one register, in words, or null.</summary>
    /// <param name="operations">The call is the appended entry, or null for a read; the answer is the whole list. An
    /// answer to a refused append is the list without it.</param>
    public static string? Fault<T>(IReadOnlyCollection<Operation<T?, IReadOnlyList<T>>> operations)
        where T : class
    {
        var answered = operations.Where(operation => operation.IsAnswered)
            .OrderBy(operation => operation.Answer!.Count).ToArray();
        if (answered.Length == 0)
            return null;
        var chain = answered[^1].Answer!;
        var places = new Dictionary<T, int>();
        foreach (var (place, entry) in chain.Index())
            if (!places.TryAdd(entry, place))
                return $"{answered[^1].Key}: {entry} was appended twice: {Text(chain)}";
        return answered.Select(operation => OwnFault(operation, chain, places))
                .FirstOrDefault(fault => fault is not null)
            ?? StrangerFault(operations, chain)
            ?? TimeFault(answered, places);
    }

    private static string? OwnFault<T>(
        Operation<T?, IReadOnlyList<T>> operation, IReadOnlyList<T> chain, Dictionary<T, int> places) where T : class
    {
        var list = operation.Answer!;
        if (!list.SequenceEqual(chain.Take(list.Count)))
            return $"fork of {operation.Key}: {Text(list)} and {Text(chain)}";
        if (operation.Call is not { } entry)
            return null;
        var appended = places.TryGetValue(entry, out var place);
        return operation.Outcome switch
        {
            Outcome.Ok when !appended || place >= list.Count => $"{operation.Key}: {operation} lacks its own entry",
            Outcome.Refused when appended =>
                $"{operation.Key}: {operation} was refused but {entry} is there: {Text(chain)}",
            _ => null,
        };
    }

    /// <summary>An entry that nobody appended, or that was there before somebody asked for it.</summary>
    private static string? StrangerFault<T>(
        IReadOnlyCollection<Operation<T?, IReadOnlyList<T>>> operations, IReadOnlyList<T> chain) where T : class
    {
        var appends = new Dictionary<T, Operation<T?, IReadOnlyList<T>>>();
        foreach (var operation in operations)
            if (operation.Call is { } entry)
                appends[entry] = operation;
        foreach (var entry in chain)
            if (!appends.TryGetValue(entry, out var append))
                return $"{operations.First().Key}: {entry} was never appended: {Text(chain)}";
            else if (append.Outcome == Outcome.Unavailable)
                return $"{append.Key}: {append} had no effect, it was said, but {entry} is there: {Text(chain)}";
            else if (operations.FirstOrDefault(other => other.IsAnswered && other.Returned < append.Invoked
                && other.Answer!.Contains(entry)) is { } early)
                return $"{append.Key}: {early} saw {entry} before it was appended";
        return null;
    }

    private static string? TimeFault<T>(Operation<T?, IReadOnlyList<T>>[] answered, Dictionary<T, int> places)
        where T : class
    {
        var byReturn = answered.OrderBy(operation => operation.Returned).ToArray();
        var (longest, next) = (0, 0);
        foreach (var operation in answered.OrderBy(operation => operation.Invoked))
        {
            for (; next < byReturn.Length && byReturn[next].Returned < operation.Invoked; next++)
                longest = Math.Max(longest, byReturn[next].Answer!.Count);
            if (operation.Answer!.Count < longest)
                return $"{operation.Key}: {operation} saw {operation.Answer.Count} entries; "
                    + $"{longest} had been seen before";
            if (operation is { Call: { } entry, Outcome: Outcome.Ok } && places[entry] < longest)
                return $"{operation.Key}: {operation} took effect before it was asked for";
        }

        return null;
    }

    private static string Text<T>(IReadOnlyList<T> list) => $"[{string.Join(' ', list)}]";
}
