using System.Globalization;

namespace ChordChat.Tests.Simulation.World;

/// <summary>Which seeds to run: CHORDCHAT_SEED=n replays one, CHORDCHAT_SEEDS=count says how many from 1 on.</summary>
public static class Seeds
{
    /// <summary>Whether one seed was asked for.</summary>
    public static bool IsSingle => Number("CHORDCHAT_SEED") is not null;

    /// <summary>Whether it was asked for how many.</summary>
    public static bool IsCounted => Number("CHORDCHAT_SEEDS") is not null;

    public static IEnumerable<ulong> Take(int usual)
    {
        if (Number("CHORDCHAT_SEED") is { } one)
            return [one];
        var count = (int)(Number("CHORDCHAT_SEEDS") ?? (ulong)usual);
        return Enumerable.Range(1, count).Select(seed => (ulong)seed);
    }

    internal static ulong? Number(string variable) =>
        ulong.TryParse(Environment.GetEnvironmentVariable(variable), CultureInfo.InvariantCulture, out var value)
            ? value
            : null;
}
