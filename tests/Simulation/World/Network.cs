namespace ChordChat.Tests.Simulation.World;

/// <summary>How the links between nodes treat messages. All of it may be changed while the world runs.</summary>
public sealed class Network
{
    private readonly Dictionary<(int From, int To), int> _cuts = [];

    /// <summary>Probability that a message is lost.</summary>
    public double Loss { get; set; }

    /// <summary>Probability that a message comes twice, the second time with a delay of its own.</summary>
    public double Duplication { get; set; }

    public TimeSpan DelayMin { get; set; } = TimeSpan.FromMilliseconds(0.2);

    public TimeSpan DelayMax { get; set; } = TimeSpan.FromMilliseconds(2);

    /// <summary>Probability that a message takes up to <see cref="StraggleMax"/> and so is overtaken by many.</summary>
    public double Straggling { get; set; }

    public TimeSpan StraggleMax { get; set; } = TimeSpan.FromSeconds(2);

    public bool IsWhole => _cuts.Count == 0;

    public bool IsCut(int from, int to) => _cuts.Count > 0 && _cuts.ContainsKey((from, to));

    /// <summary>Cuts one direction; the other still works. Cuts may overlap: each needs its own mending.</summary>
    public void Cut(int from, int to) => _cuts[(from, to)] = _cuts.GetValueOrDefault((from, to)) + 1;

    /// <summary>Ends one cut of this direction; does nothing when there is none.</summary>
    public void Mend(int from, int to)
    {
        if (_cuts.TryGetValue((from, to), out var count) && count > 1)
            _cuts[(from, to)] = count - 1;
        else
            _cuts.Remove((from, to));
    }

    /// <summary>Cuts every link between the two sides, or only those out of <paramref name="side"/>.</summary>
    public void Split(IReadOnlyCollection<int> side, IEnumerable<int> others, bool oneWay = false)
    {
        foreach (var other in others)
            foreach (var node in side)
            {
                Cut(node, other);
                if (!oneWay)
                    Cut(other, node);
            }
    }

    public void Heal() => _cuts.Clear();

    /// <summary>No more cuts, loss, duplicates or stragglers.</summary>
    public void Calm()
    {
        Heal();
        (Loss, Duplication, Straggling) = (0, 0, 0);
    }

    internal TimeSpan Delay(Prng random) => random.Chance(Straggling)
        ? random.Between(DelayMax, StraggleMax)
        : random.Between(DelayMin, DelayMax);
}
