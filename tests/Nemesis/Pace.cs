namespace ChordChat.Tests.Nemesis;

/// <summary>How busy a person is.</summary>
/// <param name="PauseMinMs">The shortest wait between two messages; the longest is
/// <paramref name="PauseMaxMs"/>.</param>
/// <param name="Wanders">Whether they sometimes leave and come back at another node.</param>
internal sealed record Pace(int PauseMinMs, int PauseMaxMs, bool Wanders)
{
    public static readonly Pace Wandering = new(200, 1_200, Wanders: true);
    public static readonly Pace Steady = new(300, 1_100, Wanders: false);
}
