namespace ChordChat.Core.Tiles.Registers;

/// <summary>What the members of a tile say of one register, and what of it a proposer goes on from.</summary>
/// <remarks>docs/protocol.md#value-rules. Any majority of the answers is a quorum, so whoever has heard more may leave
/// some of it out: what does not fit to the others.</remarks>
internal sealed class RegisterAnswers(string key, IValueRules rules)
{
    private readonly List<Answer> _all = [];

    public void Clear() => _all.Clear();

    /// <summary>Nobody honest accepts an empty value: who says so has said that nothing is there.</summary>
    public void Add(Ballot accepted, ReadOnlyMemory<byte> value) =>
        _all.Add(new(value.IsEmpty ? default : accepted, value));

    /// <summary>The newest value to which a majority of the members leads up, as far as they have answered; null when
    /// there is none.</summary>
    public Found? Agreed(int majority)
    {
        foreach (var newest in _all.OrderByDescending(answer => answer.Accepted))
        {
            var quorum = _all.Where(answer => LeadsTo(answer, newest)).ToList();
            if (quorum.Count >= majority)
                return FoundIn(quorum, newest);
        }

        return null;
    }

    /// <summary>The newest value of all that somebody honest may have written; null when that is too few
    /// answers.</summary>
    public Found? Newest(int majority)
    {
        var quorum = _all
            .Where(answer => answer.Accepted.IsNone
                || rules.Judge(key, default, answer.Value, null) != ValueVerdict.Malformed)
            .ToList();
        if (quorum.Count < majority)
            return null;
        var newest = quorum.MaxBy(answer => answer.Accepted);
        return FoundIn(quorum, newest);
    }

    private Found FoundIn(List<Answer> quorum, Answer newest) => new(
        newest.Accepted, quorum.Min(answer => answer.Accepted), newest.Value, quorum.Count == _all.Count);

    private bool LeadsTo(Answer answer, Answer newest)
    {
        if (answer.Accepted > newest.Accepted)
            return false;
        if (answer.Value.Span.SequenceEqual(newest.Value.Span))
            return true;
        // One ballot has one value; who says otherwise lies.
        return answer.Accepted < newest.Accepted
            && rules.Judge(key, answer.Value, newest.Value, null) == ValueVerdict.Fits;
    }

    /// <param name="Accepted">Of the value.</param>
    /// <param name="Least">The smallest accepted ballot in the quorum.</param>
    /// <param name="IsOfAll">Whether no answer was left out.</param>
    public readonly record struct Found(Ballot Accepted, Ballot Least, ReadOnlyMemory<byte> Value, bool IsOfAll);

    private readonly record struct Answer(Ballot Accepted, ReadOnlyMemory<byte> Value);
}
