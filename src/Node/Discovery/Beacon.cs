using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using ChordChat.Core.Ring;
using ChordChat.Node.Base;
using ChordChat.Node.Identity;

namespace ChordChat.Node.Discovery;

/// <summary>"I am here": one datagram of ASCII words, so that a person with tcpdump can read it.</summary>
/// <remarks>
/// <c>chordchat* 1 CLUSTER NODE NAME HOST:PORT INCARNATION alone|settled SENT HMAC</c>: cluster and node in hex, sent
/// in
/// Unix milliseconds and growing at each beacon of a start, HMAC-SHA256 in hex under the cluster's secret over
/// everything before the space in front of it.
/// </remarks>
/// <param name="Cluster">32 hex digits; clients and nodes of other clusters may know it.</param>
/// <param name="IsAlone">The sender has found nobody: who hears it should answer soon.</param>
/// <param name="SentMs">Its clock; also tells a repetition from a newer beacon.</param>
internal sealed record Beacon(
    string Cluster, NodeId Node, string Name, HostPort Address, ulong Incarnation, bool IsAlone, long SentMs)
{
    public const int BytesMax = 512;
    private const string Start = "chordchat* 1";
    private const int Words = 10;
    private static readonly TimeSpan ClockDifferenceMax = TimeSpan.FromMinutes(10);

    /// <summary>How far its time may be ahead of the clock, of a node whose clock was set back: a minute less than
    /// others believe.</summary>
    public static readonly TimeSpan AheadMax = TimeSpan.FromMinutes(9);

    /// <summary>What to name as the time of the next beacon: it grows, also while the clock is set back, but not where
    /// nobody would believe it any more.</summary>
    public static long SentAfter(long lastMs, DateTimeOffset now)
    {
        var nowMs = now.ToUnixTimeMilliseconds();
        return lastMs - nowMs < AheadMax.TotalMilliseconds ? Math.Max(lastMs + 1, nowMs) : nowMs;
    }

    public byte[] Write(byte[] secret)
    {
        var state = IsAlone ? "alone" : "settled";
        var text = string.Create(
            CultureInfo.InvariantCulture, $"{Start} {Cluster} {Node} {Name} {Address} {Incarnation} {state} {SentMs}");
        var hash = HMACSHA256.HashData(secret, Encoding.ASCII.GetBytes(text));
        return Encoding.ASCII.GetBytes($"{text} {Convert.ToHexStringLower(hash)}");
    }

    /// <summary>Reads a datagram's words; null when they are no beacon. Whether to believe them, see
    /// <see cref="IsProved"/>.</summary>
    public static Beacon? TryParse(ReadOnlySpan<byte> datagram)
    {
        if (datagram.Length > BytesMax || !Ascii.IsValid(datagram))
            return null;
        var words = Encoding.ASCII.GetString(datagram).Split(' ');
        if (words.Length != Words || $"{words[0]} {words[1]}" != Start
            || !IsHex(words[2], 2 * Genesis.ClusterBytes) || !IsHex(words[3], 64) || !IsHex(words[9], 64)
            || !ClusterPlan.IsName(words[4]) || !HostPort.TryParse(words[5], out var address)
            || !ulong.TryParse(words[6], NumberStyles.None, CultureInfo.InvariantCulture, out var incarnation)
            || words[7] is not ("alone" or "settled")
            || !long.TryParse(words[8], NumberStyles.None, CultureInfo.InvariantCulture, out var sent)
            || sent > DateTimeOffset.MaxValue.ToUnixTimeMilliseconds())
            return null;
        var node = NodeId.FromBytes(Convert.FromHexString(words[3]));
        return new(words[2], node, words[4], address, incarnation, words[7] == "alone", sent);
    }

    /// <summary>Whether somebody who knows the secret wrote the datagram.</summary>
    public static bool IsProved(ReadOnlySpan<byte> datagram, byte[] secret)
    {
        var end = datagram.LastIndexOf((byte)' ');
        Span<byte> claimed = stackalloc byte[HMACSHA256.HashSizeInBytes];
        Span<byte> hash = stackalloc byte[HMACSHA256.HashSizeInBytes];
        if (end < 0 || datagram.Length - end - 1 != 2 * claimed.Length)
            return false;
        if (Convert.FromHexString(datagram[(end + 1)..], claimed, out _, out _) != System.Buffers.OperationStatus.Done)
            return false;
        HMACSHA256.HashData(secret, datagram[..end], hash);
        return CryptographicOperations.FixedTimeEquals(claimed, hash);
    }

    /// <summary>How far the sender's clock seems to be from ours; null while it is near enough.</summary>
    public TimeSpan? ClockDifference(DateTimeOffset now)
    {
        var difference = DateTimeOffset.FromUnixTimeMilliseconds(SentMs) - now;
        return difference.Duration() > ClockDifferenceMax ? difference : null;
    }

    private static bool IsHex(string word, int digits) => word.Length == digits && word.All(char.IsAsciiHexDigitLower);
}
