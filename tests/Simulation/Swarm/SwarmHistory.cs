using ChordChat.Tests.Checkers;

namespace ChordChat.Tests.Simulation.Swarm;

/// <summary>What the clients of one run asked for and were told.</summary>
internal sealed class SwarmHistory
{
    /// <summary>Appends (an entry) and reads (null) of lists; the answer is the whole list.</summary>
    public History<string?, IReadOnlyList<string>> Lists { get; } = new();

    public History<NameCall, string?> Names { get; } = new();

    public Mailboxes Mailboxes { get; } = new();

    /// <summary>Registers whose history was too tangled to search.</summary>
    public int UndecidedCount { get; private set; }

    /// <summary>Operations that were told that they are done.</summary>
    public int AnsweredCount => Lists.Operations.Count(operation => operation.IsAnswered)
        + Names.Operations.Count(operation => operation.IsAnswered) + Mailboxes.Counts.Kept;

    /// <summary>The first thing that is wrong, in words, or null.</summary>
    public string? Fault() =>
        Lists.Operations.GroupBy(operation => operation.Key).Select(one => ListFault([.. one])).FirstOrDefault(IsFault)
        ?? Checkers.Names.Fault(Names.Operations)
        ?? Mailboxes.Fault(atEnd: false);

    /// <summary>The chain of prefixes needs no search and finds most; Wing, Gong and Lowe have the last word, except
    /// where they come to none.</summary>
    private string? ListFault(Operation<string?, IReadOnlyList<string>>[] operations)
    {
        if (AppendChains.Fault(operations) is { } fault)
            return fault;
        // An append of unknown outcome that nobody ever saw need not have happened; leaving it out saves the search.
        var seen = operations.SelectMany(operation => operation.Answer ?? []).ToHashSet();
        try
        {
            return Linearizability.Fault(
                ListModel.Instance,
                [.. operations.Where(operation => operation.IsAnswered || seen.Contains(operation.Call ?? ""))]);
        }
        catch (UndecidedException)
        {
            UndecidedCount++;
            return null;
        }
    }

    private static bool IsFault(string? fault) => fault is not null;

    private sealed class ListModel : SequentialModel<string, string?, IReadOnlyList<string>>
    {
        public static readonly ListModel Instance = new();

        public override string Initial => "";

        public override (string Next, IReadOnlyList<string> Answer) Apply(string state, string? asked)
        {
            var next = asked is null ? state : state.Length == 0 ? asked : $"{state} {asked}";
            return (next, next.Length == 0 ? [] : next.Split(' '));
        }

        public override bool Agrees(IReadOnlyList<string> expected, IReadOnlyList<string>? answered) =>
            answered is not null && expected.SequenceEqual(answered);
    }
}
