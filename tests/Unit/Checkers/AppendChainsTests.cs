using ChordChat.Tests.Checkers;
using Xunit;
using static ChordChat.Tests.Unit.Checkers.Told;
using Chain = ChordChat.Tests.Checkers.Operation<string?, System.Collections.Generic.IReadOnlyList<string>>;

namespace ChordChat.Tests.Unit.Checkers;

/// <summary>docs/protocol.md, Checkers: registers that are only appended to.</summary>
public class AppendChainsTests
{
    [Fact]
    public void One_growing_list_is_right() => AssertRight(
        Append("a", "a", 0, 1), Read("a", 2, 3), Append("b", "a b", 2, 5), Read("a b", 4, 6), Read("", 0, 9));

    [Fact]
    public void A_fork_is_wrong() =>
        AssertWrong("fork", Append("a", "a", 0, 1), Append("b", "a b", 2, 9), Append("c", "a c", 2, 9));

    [Fact]
    public void An_entry_stands_once() => AssertWrong("twice", Append("a", "a", 0, 1), Read("a a", 2, 3));

    [Fact]
    public void An_append_sees_itself() => AssertWrong("lacks its own", Append("a", "", 0, 1), Read("a", 2, 3));

    [Fact]
    public void What_had_been_seen_is_seen_later() =>
        AssertWrong("had been seen before", Append("a", "a", 0, 1), Read("", 2, 3));

    [Fact]
    public void An_append_does_not_happen_before_it_is_asked_for() => AssertWrong(
        "before it was", Nothing<string?, IReadOnlyList<string>>("b", 0), Read("b a", 1, 2), Append("a", "b a", 3, 4));

    [Fact]
    public void Nothing_is_invented() => AssertWrong("never appended", Read("a", 0, 1));

    [Fact]
    public void What_nobody_knows_may_be_there_or_not()
    {
        AssertRight(Nothing<string?, IReadOnlyList<string>>("a", 0), Read("", 1, 2), Read("a", 3, 4));
        AssertRight(Nothing<string?, IReadOnlyList<string>>("a", 0), Read("", 1, 2));
    }

    [Fact]
    public void What_was_turned_down_is_not_there()
    {
        AssertWrong("had no effect", Unavailable<string?, IReadOnlyList<string>>("a", 0, 1), Read("a", 2, 3));
        AssertWrong("was refused", Refused<string?, IReadOnlyList<string>>("a", [], 0, 1), Read("a", 2, 3));
    }

    private static Chain Append(string entry, string list, int from, int to) =>
        Ok<string?, IReadOnlyList<string>>(entry, Entries(list), from, to);

    private static Chain Read(string list, int from, int to) =>
        Ok<string?, IReadOnlyList<string>>(null, Entries(list), from, to);

    private static string[] Entries(string list) => list.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    private static void AssertRight(params Chain[] calls) => Assert.Null(AppendChains.Fault(calls));

    private static void AssertWrong(string words, params Chain[] calls) =>
        Assert.Contains(words, AppendChains.Fault(calls), StringComparison.Ordinal);
}
