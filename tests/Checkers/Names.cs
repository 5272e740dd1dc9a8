namespace ChordChat.Tests.Checkers;

/// <summary>A name is one owner's, for ever: the one whose claim was granted.</summary>
public static class Names
{
    /// <summary>What is wrong, in words, or null.</summary>
    /// <param name="operations">Calls for any number of names, with the name as the key.</param>
    public static string? Fault(IEnumerable<Operation<NameCall, string?>> operations) =>
        operations.GroupBy(operation => operation.Key, StringComparer.Ordinal)
            .Select(name => FaultOf([.. name]))
            .FirstOrDefault(fault => fault is not null);

    private static string? FaultOf(Operation<NameCall, string?>[] calls)
    {
        var sightings = calls.Where(call => call.IsAnswered && OwnerSeen(call) is not null).ToArray();
        var first = sightings.MinBy(call => call.Returned);
        foreach (var other in sightings)
            if (OwnerSeen(other) != OwnerSeen(first!))
                return $"{first!.Key} has two owners: {first} and {other}";
        if (first is not null && OwnerFault(calls, OwnerSeen(first)!, first) is { } fault)
            return fault;
        return calls.Select(call => LateFault(call, first) ?? RefusalFault(call, calls))
            .FirstOrDefault(found => found is not null);
    }

    private static string? OwnerSeen(Operation<NameCall, string?> call) =>
        call is { Outcome: Outcome.Ok, Call: NameCall.Claim claim } ? claim.Owner : call.Answer;

    /// <summary>Whoever is seen as the owner must have claimed the name before, and not in vain.</summary>
    private static string? OwnerFault(
        Operation<NameCall, string?>[] calls, string owner, Operation<NameCall, string?> seen)
    {
        var claim = calls.FirstOrDefault(
            call => call.Call is NameCall.Claim { Owner: var claimed } && claimed == owner);
        if (claim is null)
            return $"{seen.Key} is {owner}'s, who never claimed it: {seen}";
        if (claim.Outcome is Outcome.Refused or Outcome.Unavailable)
            return $"{seen.Key} is {owner}'s, whose claim was turned down: {claim} and {seen}";
        return seen.Returned < claim.Invoked
            ? $"{seen.Key} was {owner}'s before it was claimed: {seen} and {claim}"
            : null;
    }

    /// <summary>Once somebody owns it, it is never free again.</summary>
    private static string? LateFault(Operation<NameCall, string?> call, Operation<NameCall, string?>? first) =>
        first is not null && call is { Outcome: Outcome.Ok, Call: NameCall.Ask, Answer: null }
            && first.Returned < call.Invoked
                ? $"{call.Key} was free again: {first} and {call}"
                : null;

    /// <summary>A claim is refused only for somebody else who may have it.</summary>
    private static string? RefusalFault(Operation<NameCall, string?> call, Operation<NameCall, string?>[] calls) =>
        call is { Outcome: Outcome.Refused, Call: NameCall.Claim } && !calls.Any(other => other != call
            && other.Call is NameCall.Claim && other.Outcome is Outcome.Ok or Outcome.Unknown
            && other.Invoked < call.Returned)
                ? $"{call.Key} was refused though nobody else can have it: {call}"
                : null;
}
