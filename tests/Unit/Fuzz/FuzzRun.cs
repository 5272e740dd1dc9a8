using System.Globalization;
using ChordChat.Core.Ring;
using Xunit;

namespace ChordChat.Tests.Unit.Fuzz;

/// <summary>Feeds a parser for a fixed number of rounds: half of them the same each time, half from a seed that is
/// printed. <c>CHORDCHAT_SEED=N</c> replays one.</summary>
internal static class FuzzRun
{
    private const ulong FixedSeed = 20_261_121;
    private static readonly TimeSpan HangAfter = TimeSpan.FromMinutes(2);

    private static readonly ulong FreshSeed =
        ulong.TryParse(Environment.GetEnvironmentVariable("CHORDCHAT_SEED"), CultureInfo.InvariantCulture, out var seed)
            ? seed
            : (ulong)Random.Shared.NextInt64();

    /// <summary>Mutates the samples.</summary>
    /// <param name="parse">Throws only what <paramref name="refusals"/> name; asserts what it likes.</param>
    public static void Bytes(
        IReadOnlyList<byte[]> corpus, int rounds, Action<byte[]> parse, params ReadOnlySpan<Type> refusals)
    {
        foreach (var sample in corpus)
            parse(sample); // Valid ones are taken, or the fuzzing below would try nothing but refusals.
        Rounds(rounds, random => Mutation.Of(corpus, random), parse, Convert.ToHexString, refusals);
    }

    /// <summary>Makes inputs from nothing but chance.</summary>
    public static void Rounds<T>(
        int rounds, Func<Prng, T> make, Action<T> parse, Func<T, string> show, params ReadOnlySpan<Type> refusals)
    {
        Type[] allowed = [.. refusals];
        Run(FixedSeed, rounds / 2, make, parse, show, allowed);
        Run(FreshSeed, rounds / 2, make, parse, show, allowed);
    }

    private static void Run<T>(
        ulong seed, int rounds, Func<Prng, T> make, Action<T> parse, Func<T, string> show, Type[] allowed)
    {
        var random = new Prng(seed);
        for (var round = 0; round < rounds; round++)
        {
            var input = make(random);
            var began = TimeProvider.System.GetTimestamp();
            var fault = Record.Exception(() => parse(input));
            var took = TimeProvider.System.GetElapsedTime(began);
            if (fault is not null && !allowed.Any(type => type.IsInstanceOfType(fault)))
                Assert.Fail($"seed {seed}, round {round}: {fault}\n{show(input)}");
            Assert.True(took < HangAfter, $"seed {seed}, round {round}: took {took}\n{show(input)}");
        }
    }
}
