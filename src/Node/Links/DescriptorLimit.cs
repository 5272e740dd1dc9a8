using System.Globalization;

namespace ChordChat.Node.Links;

/// <summary>How many connections this process may hold open, so that what it needs itself (its database, its own
/// connections to other nodes) never lacks a descriptor.</summary>
/// <param name="Connections">In all.</param>
/// <param name="PerAddress">Of one address; of IPv6 of a /64.</param>
/// <param name="Unfinished">That have not finished their TLS handshake.</param>
internal sealed record DescriptorLimit(int Connections, int PerAddress, int Unfinished)
{
    public const int ConnectionsMax = 20_000;

    /// <summary>One address may be a whole office behind one router.</summary>
    public const int PerAddressMax = 5_000;

    /// <summary>Of the connections, those that only addresses of members get: strangers cannot cut the ring.</summary>
    public int Kept => Math.Max(1, Connections / 8);

    private const string LimitsFile = "/proc/self/limits";
    private const string LimitsLine = "Max open files";

    /// <param name="descriptors">What the process may have open; null when that is not limited.</param>
    public static DescriptorLimit Of(long? descriptors)
    {
        var most = (int)Math.Min(ConnectionsMax, (descriptors ?? int.MaxValue) * 5 / 8);
        return new(most, Math.Min(PerAddressMax, Math.Max(1, most / 2)), Math.Max(1, most / 4));
    }

    /// <summary>Of this process; where the system does not say it in a file, it is taken for unlimited.</summary>
    public static DescriptorLimit OfThisProcess() =>
        Of(File.Exists(LimitsFile) ? Read(File.ReadAllLines(LimitsFile)) : null);

    /// <summary>The soft limit, which .NET has raised to the hard one by now; null when there is none.</summary>
    public static long? Read(IEnumerable<string> lines)
    {
        var line = lines.FirstOrDefault(line => line.StartsWith(LimitsLine, StringComparison.Ordinal));
        var words = line?[LimitsLine.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return words is [var soft, ..]
            && long.TryParse(soft, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) ? limit : null;
    }
}
