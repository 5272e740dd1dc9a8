using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;

namespace ChordChat.Node.Identity;

/// <summary>An operator's order that begins the next generation of one tile, as lines of ASCII that the authority
/// signs.</summary>
/// <remarks>docs/protocol.md#generations. The signature is over exactly these bytes, so no second form of them has to
/// agree.</remarks>
/// <param name="Cluster">In hex.</param>
/// <param name="Next">What begins.</param>
/// <param name="Survivors">The configuration that rows are taken from, with those who have them as members.</param>
internal sealed record RecoveryOrder(string Cluster, TileConfiguration Next, TileConfiguration Survivors)
{
    public const int BytesMax = 64 << 10;

    /// <summary>Where generations and epochs end for orders: half of what all take, since an epoch goes on growing
    /// after its order. docs/protocol.md#impossible-numbers</summary>
    private const ulong NumberMax = 1UL << 61;

    private const string Head = "chordchat recovery order 1";
    private static readonly CultureInfo Invariant = CultureInfo.InvariantCulture;

    /// <summary>What the operator types to say that he has read what would be lost: of exactly these orders.</summary>
    public static string CodeOf(IEnumerable<RecoveryOrder> orders) => Convert.ToHexStringLower(
        SHA256.HashData([.. orders.SelectMany(order => order.ToBytes().Append((byte)'\n'))]).AsSpan(0, 4));

    /// <summary>Whether a tile can go on with its numbers: a node takes no other order.</summary>
    public bool IsInBounds => Next is { Generation: <= NumberMax, Epoch: <= NumberMax };

    public byte[] ToBytes() => Encoding.ASCII.GetBytes(string.Join('\n',
        Head, Cluster, Next.Tile.ToString(), Line(Next), Line(Survivors)));

    /// <summary>The order and the authority's signature, as it is sent.</summary>
    public byte[] Sign(ClusterAuthority authority)
    {
        var order = ToBytes();
        return [.. Encoding.ASCII.GetBytes(Convert.ToBase64String(authority.Sign(order)) + "\n"), .. order];
    }

    /// <summary>Reads what <see cref="Sign"/> wrote; null when it is not an order that this authority signed for this
    /// cluster.</summary>
    public static RecoveryOrder? Read(ReadOnlySpan<byte> signed, string cluster, ClusterTrust trust)
    {
        var end = signed.IndexOf((byte)'\n');
        if (end < 0)
            return null;
        try
        {
            var signature = Convert.FromBase64String(Encoding.ASCII.GetString(signed[..end]));
            var order = signed[(end + 1)..];
            using var key = trust.Authority.GetECDsaPublicKey();
            if (key is null || !key.VerifyData(order, signature, HashAlgorithmName.SHA256))
                return null;
            var read = Parse(Encoding.ASCII.GetString(order).Split('\n'));
            return read is { IsInBounds: true } && read.Cluster == cluster && read.Next.IsOrdered(read.Survivors)
                ? read : null;
        }
        catch (Exception e) when (e is FormatException or OverflowException)
        {
            return null;
        }
    }

    private static RecoveryOrder? Parse(string[] lines)
    {
        if (lines.Length != 5 || lines[0] != Head || !TileId.TryParse(lines[2], out var tile))
            return null;
        var (next, survivors) = (Configuration(tile, lines[3]), Configuration(tile, lines[4]));
        return next.Members.Length == 0 ? null : new(lines[1], next, survivors);
    }

    private static string Line(TileConfiguration configuration) => string.Join(' ',
        configuration.Members.Select(member => member.ToString())
            .Prepend(configuration.Epoch.ToString(Invariant)).Prepend(configuration.Generation.ToString(Invariant)));

    private static ulong Number(string word) => ulong.Parse(word, NumberStyles.None, Invariant);

    private static TileConfiguration Configuration(TileId tile, string line)
    {
        var words = line.Split(' ');
        if (words.Length is < 2 or > byte.MaxValue || words.Skip(2).Any(word => word.Length != 64))
            throw new FormatException("a configuration of an order");
        var members = words.Skip(2).Select(word => NodeId.FromBytes(Convert.FromHexString(word)));
        return new(tile, Number(words[0]), Number(words[1]), [.. members]);
    }
}
