namespace ChordChat.Node.Tiles;

/// <summary>How often old rows are looked for.</summary>
internal sealed record CollectionOptions
{
    /// <summary>Mean time between two rounds; each wait is 75 % to 125 % of it.</summary>
    public TimeSpan Every { get; init; } = TimeSpan.FromHours(1);
}
