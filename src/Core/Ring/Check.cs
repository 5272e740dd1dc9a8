namespace ChordChat.Core.Ring;

/// <summary>Invariants that are asserted where state changes, in Release too.</summary>
internal static class Check
{
    /// <exception cref="InvalidOperationException">The invariant does not hold: a bug, never an outcome.</exception>
    public static void That(bool holds, string invariant)
    {
        if (!holds)
            throw new InvalidOperationException($"broken invariant: {invariant}");
    }
}
