using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using ChordChat.Core.Ring;

namespace ChordChat.Node.Identity;

/// <summary>All certificates that the operator has ever revoked, as lines of ASCII that the authority signs.</summary>
/// <remarks>docs/protocol.md#ring-deny-list. The signature is over exactly these bytes, and there is only one way to
/// write a list: what is read must be what <see cref="ToBytes"/> writes.</remarks>
/// <param name="Cluster">In hex.</param>
/// <param name="Number">From 1; larger for every list. A list never takes the place of one with a larger
/// number.</param>
internal sealed record DenyList(string Cluster, ulong Number, ImmutableArray<Denial> Entries)
{
    public const string FileName = "denied";
    public const int EntriesMax = 1_024;
    public const int BytesMax = 256 << 10;

    private const string Head = "chordchat deny list 1";
    private static readonly CultureInfo Invariant = CultureInfo.InvariantCulture;

    public ImmutableArray<NodeId> Nodes => [.. Entries.OfType<Denial.OfNode>().Select(entry => entry.Node)];

    /// <summary>The entry that denies this node, or null.</summary>
    public Denial? Of(NodeId node) => Entries.OfType<Denial.OfNode>().FirstOrDefault(entry => entry.Node == node);

    /// <summary>The entry that denies this viewer's certificate, or null.</summary>
    public Denial? OfViewer(X509Certificate2 certificate)
    {
        var name = certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: false);
        var since = new DateTimeOffset(certificate.NotBefore.ToUniversalTime());
        return Entries.OfType<Denial.OfViewers>()
            .FirstOrDefault(entry => entry.Name == name && since <= entry.IssuedUntil);
    }

    public byte[] ToBytes() => Encoding.ASCII.GetBytes(string.Join('\n',
        Entries.Select(Line).Prepend(Number.ToString(Invariant)).Prepend(Cluster).Prepend(Head)));

    /// <summary>The list and the authority's signature, as it is kept and sent.</summary>
    public byte[] Sign(ClusterAuthority authority)
    {
        var list = ToBytes();
        return [.. Encoding.ASCII.GetBytes(Convert.ToBase64String(authority.Sign(list)) + "\n"), .. list];
    }

    /// <summary>Reads what <see cref="Sign"/> wrote; null when it is not a list that this authority signed for this
    /// cluster.</summary>
    public static DenyList? Read(ReadOnlySpan<byte> signed, string cluster, ClusterTrust trust)
    {
        var end = signed.IndexOf((byte)'\n');
        if (end < 0 || signed.Length > BytesMax)
            return null;
        try
        {
            var signature = Convert.FromBase64String(Encoding.ASCII.GetString(signed[..end]));
            var list = signed[(end + 1)..];
            using var key = trust.Authority.GetECDsaPublicKey();
            if (key is null || !key.VerifyData(list, signature, HashAlgorithmName.SHA256))
                return null;
            return Parse(list) is { } read && read.Cluster == cluster ? read : null;
        }
        catch (FormatException)
        {
            return null;
        }
    }

    /// <summary>Reads the list itself, without its signature; null when it is none.</summary>
    public static DenyList? Parse(ReadOnlySpan<byte> list)
    {
        if (list.Length > BytesMax)
            return null;
        var lines = Encoding.ASCII.GetString(list).Split('\n');
        if (lines.Length is < 3 or > EntriesMax + 3 || lines[0] != Head
            || !ulong.TryParse(lines[2], NumberStyles.None, Invariant, out var number) || number == 0)
            return null;
        var entries = ImmutableArray.CreateBuilder<Denial>();
        foreach (var line in lines[3..])
        {
            if (ReadLine(line.Split(' ')) is not { } entry)
                return null;
            entries.Add(entry);
        }

        var read = new DenyList(lines[1], number, entries.DrainToImmutable());
        return read.ToBytes().AsSpan().SequenceEqual(list) ? read : null;
    }

    private static string Line(Denial entry) => entry switch
    {
        Denial.OfNode node => $"node {node.Name} {node.Node} {Seconds(node.At)}",
        Denial.OfViewers viewers => $"viewer {viewers.Name} {Seconds(viewers.IssuedUntil)} {Seconds(viewers.At)}",
        var other => throw new InvalidOperationException($"no line for {other}"),
    };

    private static Denial? ReadLine(string[] words)
    {
        if (words.Length != 4 || !ClusterPlan.IsName(words[1]) || Time(words[3]) is not { } at)
            return null;
        return words[0] switch
        {
            "node" when words[2].Length == 64 && words[2].All(char.IsAsciiHexDigitLower) =>
                new Denial.OfNode(words[1], NodeId.FromBytes(Convert.FromHexString(words[2])), at),
            "viewer" when Time(words[2]) is { } until => new Denial.OfViewers(words[1], until, at),
            _ => null,
        };
    }

    private static string Seconds(DateTimeOffset time) => time.ToUnixTimeSeconds().ToString(Invariant);

    private static DateTimeOffset? Time(string word) =>
        long.TryParse(word, NumberStyles.None, Invariant, out var seconds)
        && seconds <= DateTimeOffset.MaxValue.ToUnixTimeSeconds()
            ? DateTimeOffset.FromUnixTimeSeconds(seconds)
            : null;
}

/// <summary>What the operator has revoked.</summary>
/// <param name="Name">As it stands in the certificates.</param>
/// <param name="At">When; for people.</param>
internal abstract record Denial(string Name, DateTimeOffset At)
{
    /// <summary>The node with this key, for ever; its name may be given to another key.</summary>
    public sealed record OfNode(string Name, NodeId Node, DateTimeOffset At) : Denial(Name, At);

    /// <summary>The viewers' certificates of this name that are valid since this moment or before; not later
    /// ones.</summary>
    public sealed record OfViewers(string Name, DateTimeOffset IssuedUntil, DateTimeOffset At) : Denial(Name, At);

    /// <summary>For whom it concerns.</summary>
    public string InWords(string whose) => string.Create(
        CultureInfo.InvariantCulture,
        $"{whose} certificate was revoked by the operator of the cluster at {At.UtcDateTime:yyyy-MM-dd HH:mm} UTC");
}
