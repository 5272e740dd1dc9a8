namespace ChordChat.Node.Storage;

public sealed record StorageOptions
{
    private const long DefaultMin = 256L << 20;
    private const long DefaultMax = 4L << 30;

    /// <summary>Bytes of the folder's volume that stay free: with less, this node takes nothing new. Null: a hundredth
    /// of the volume, but no less than 256 MiB and no more than 4 GiB, nor than an eighth of a small volume.</summary>
    public long? ReserveBytes { get; init; }

    public static StorageOptions Of(IConfiguration settings) =>
        settings.GetSection("Storage").Get<StorageOptions>() ?? new();

    /// <summary>The same for a volume of this size.</summary>
    public long ReserveOf(long volumeBytes) =>
        ReserveBytes ?? Math.Min(Math.Clamp(volumeBytes / 100, DefaultMin, DefaultMax), volumeBytes / 8);
}
