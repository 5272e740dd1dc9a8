using System.Diagnostics.CodeAnalysis;
using ChordChat.Tests.Checkers;
using Xunit;
using static ChordChat.Tests.Unit.Checkers.Told;
using Register = ChordChat.Tests.Checkers.Operation<ChordChat.Tests.Checkers.RegisterCall, string>;

namespace ChordChat.Tests.Unit.Checkers;

/// <summary>docs/protocol.md, Checkers: registers.</summary>
[SuppressMessage("Performance", "CA1859", Justification = "Histories hold any call.")]
public class LinearizabilityTests
{
    [Fact]
    public void Nothing_is_linearizable() => AssertRight();

    [Fact]
    public void A_read_during_a_write_may_see_either_value()
    {
        AssertRight(Ok(Write("a"), "a", 0, 10), Ok(Read, "", 1, 2));
        AssertRight(Ok(Write("a"), "a", 0, 10), Ok(Read, "a", 1, 2));
    }

    [Fact]
    public void A_read_after_a_write_sees_it() =>
        AssertWrong(Ok(Write("a"), "a", 0, 1), Ok(Read, "", 2, 3));

    [Fact]
    public void What_was_seen_is_not_unseen() => AssertWrong(
        Ok(Write("a"), "a", 0, 10), Ok(Read, "a", 1, 2), Ok(Read, "", 3, 4));

    [Fact]
    public void A_value_that_nobody_wrote_is_wrong() =>
        AssertWrong(Ok(Write("a"), "a", 0, 1), Ok(Read, "b", 0, 3));

    [Fact]
    public void Of_two_that_change_the_same_value_one_wins()
    {
        AssertRight(Ok(Change(null, "a"), "a", 0, 5), Refused(Change(null, "b"), "a", 0, 5));
        AssertWrong(Ok(Change(null, "a"), "a", 0, 5), Ok(Change(null, "b"), "b", 0, 5));
    }

    [Fact]
    public void A_lost_update_is_found() => AssertWrong(
        Ok(Append("1"), "1", 0, 1), Ok(Append("2"), "1 2", 2, 3), Ok(Append("3"), "1 3", 4, 5));

    [Fact]
    public void A_refusal_is_a_read() =>
        AssertWrong(Ok(Write("a"), "a", 0, 1), Refused(Change("z", "b"), "", 2, 3));

    [Fact]
    public void What_nobody_knows_may_happen_late_or_never()
    {
        AssertRight(Nothing<RegisterCall, string>(Write("a"), 0), Ok(Read, "", 5, 6), Ok(Read, "a", 7, 8));
        AssertRight(Nothing<RegisterCall, string>(Write("a"), 0), Ok(Read, "", 5, 6));
    }

    [Fact]
    public void What_nobody_knows_happens_once_and_not_before_its_begin()
    {
        AssertWrong(Ok(Read, "a", 0, 1), Nothing<RegisterCall, string>(Write("a"), 2));
        AssertWrong(
            Nothing<RegisterCall, string>(Write("a"), 0), Ok(Read, "a", 1, 2), Ok(Write("b"), "b", 3, 4),
            Ok(Read, "a", 5, 6));
    }

    [Fact]
    public void What_was_unavailable_never_happens() =>
        AssertWrong(Unavailable<RegisterCall, string>(Write("a"), 0, 1), Ok(Read, "a", 2, 3));

    [Fact]
    public void The_fault_names_the_answer_that_nothing_explains()
    {
        var fault = Fault(Ok(Write("a"), "a", 0, 1), Ok(Read, "", 2, 3));

        Assert.Contains("x is not linearizable: after 1 of 2 calls", fault, StringComparison.Ordinal);
        Assert.Contains("[2.000 3.000] client Read", fault, StringComparison.Ordinal);
    }

    /// <summary>10 clients, 3,000 calls, one in twenty without an answer; then one answer is made wrong.</summary>
    [Theory, InlineData(1), InlineData(2), InlineData(3)]
    public void Long_tangled_histories_are_judged_fast(int seed)
    {
        var history = Tangle(new Random(seed), calls: 3_000, clients: 10);
        AssertRight([.. history]);

        var victim = history.FindIndex(2_000, call => call is { Outcome: Outcome.Ok, Call: RegisterCall.Read });
        var stale = history.First(call => call.Outcome == Outcome.Ok && call.Answer != history[victim].Answer).Answer;
        history[victim].Return(Outcome.Ok, stale, history[victim].Returned);
        AssertWrong([.. history]);
    }

    /// <summary>Calls that overlap; each takes effect at a random moment between its begin and its return.</summary>
    private static List<Register> Tangle(Random random, int calls, int clients)
    {
        var (value, now) = ("", 0);
        var history = new List<Register>();
        while (history.Count < calls)
        {
            var round = Enumerable.Range(0, random.Next(1, clients)).Select(_ => (Call: Any(), From: now++)).ToArray();
            random.Shuffle(round);
            foreach (var (call, from) in round)
            {
                var lost = random.Next(20) == 0;
                if (!lost || random.Next(2) == 0)
                    (value, _) = new RegisterModel().Apply(value, call);
                history.Add(lost ? Nothing<RegisterCall, string>(call, from) : Ok(call, value, from, now + clients));
            }

            now += clients + 1;
        }

        return history;

        RegisterCall Any() => random.Next(4) switch
        {
            0 => Write($"w{random.Next(1_000_000)}"),
            1 => Change(value, $"c{random.Next(1_000_000)}"),
            _ => Read,
        };
    }

    private static RegisterCall Read => new RegisterCall.Read();

    private static RegisterCall Write(string value) => new RegisterCall.Write(value);

    private static RegisterCall Change(string? expected, string value) =>
        new RegisterCall.CompareAndSet(expected, value);

    private static RegisterCall Append(string entry) => new RegisterCall.Append(entry);

    private static string? Fault(params Register[] calls) => Linearizability.Fault(new RegisterModel(), calls);

    private static void AssertRight(params Register[] calls) => Assert.Null(Fault(calls));

    private static void AssertWrong(params Register[] calls) => Assert.NotNull(Fault(calls));
}
