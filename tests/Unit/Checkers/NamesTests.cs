using System.Diagnostics.CodeAnalysis;
using ChordChat.Tests.Checkers;
using Xunit;
using static ChordChat.Tests.Unit.Checkers.Told;
using Name = ChordChat.Tests.Checkers.Operation<ChordChat.Tests.Checkers.NameCall, string?>;

namespace ChordChat.Tests.Unit.Checkers;

/// <summary>docs/protocol.md, Checkers: names.</summary>
[SuppressMessage("Performance", "CA1859", Justification = "Histories hold any call.")]
public class NamesTests
{
    [Fact]
    public void One_wins_and_the_others_are_refused() => AssertRight(
        Granted("k1", 0, 5), Denied("k2", 0, 5), Ask(null, 0, 3), Ask("k1", 3, 6));

    [Fact]
    public void Two_owners_are_wrong() => AssertWrong("two owners", Granted("k1", 0, 5), Granted("k2", 0, 5));

    [Fact]
    public void Whoever_was_granted_it_is_seen() => AssertWrong(
        "two owners", Granted("k1", 0, 5), Nothing<NameCall, string?>(Claim("k2"), 0), Ask("k2", 6, 7));

    [Fact]
    public void Nobody_has_it_who_did_not_claim_it() => AssertWrong("never claimed", Ask("k9", 0, 1));

    [Fact]
    public void A_claim_that_was_turned_down_has_no_effect()
    {
        AssertWrong("turned down", Unavailable<NameCall, string?>(Claim("k1"), 0, 1), Ask("k1", 2, 3));
        AssertWrong("turned down", Denied("k1", 0, 1), Ask("k1", 2, 3));
    }

    [Fact]
    public void A_name_is_never_free_again() => AssertWrong("free again", Granted("k1", 0, 1), Ask(null, 2, 3));

    [Fact]
    public void A_name_has_no_owner_before_it_is_claimed() =>
        AssertWrong("before it was claimed", Ask("k1", 0, 1), Nothing<NameCall, string?>(Claim("k1"), 2));

    [Fact]
    public void A_claim_is_refused_only_for_somebody_else()
    {
        AssertWrong("nobody else", Denied("k1", 0, 1), Granted("k2", 2, 3));
        AssertRight(Denied("k1", 0, 1), Nothing<NameCall, string?>(Claim("k2"), 0));
    }

    private static NameCall Claim(string owner) => new NameCall.Claim(owner);

    private static Name Granted(string owner, int from, int to) => Ok<NameCall, string?>(Claim(owner), owner, from, to);

    private static Name Denied(string owner, int from, int to) =>
        Refused<NameCall, string?>(Claim(owner), null, from, to);

    private static Name Ask(string? owner, int from, int to) =>
        Ok<NameCall, string?>(new NameCall.Ask(), owner, from, to);

    private static void AssertRight(params Name[] calls) => Assert.Null(Names.Fault(calls));

    private static void AssertWrong(string words, params Name[] calls) =>
        Assert.Contains(words, Names.Fault(calls), StringComparison.Ordinal);
}
