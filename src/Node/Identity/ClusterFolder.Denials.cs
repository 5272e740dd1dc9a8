using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using ChordChat.Core.Ring;
using ChordChat.Node.Base;

namespace ChordChat.Node.Identity;

/// <summary>cluster/denied: the newest deny list, which only the authority's key can lengthen.</summary>
internal sealed partial class ClusterFolder
{
    /// <summary>The nodes whose folders are here.</summary>
    public IEnumerable<string> NodeFolderNames() => Directory.Exists(Path.Combine(root, "nodes"))
        ? Directory.GetDirectories(Path.Combine(root, "nodes")).Select(folder => Path.GetFileName(folder)!)
        : [];

    /// <summary>As it is handed to nodes; null when nobody was ever denied.</summary>
    public byte[]? SignedDenyList() => Denials.ReadFile(Folder);

    /// <exception cref="StartRefusedException">The file is damaged.</exception>
    public DenyList? DenyList(ClusterAuthority authority) => ReadDenyList(authority.Certificate);

    /// <summary>Keeps what a node has, if it is newer than what is here.</summary>
    public void TakeDenyList(ClusterAuthority authority, byte[] signed)
    {
        var trust = new ClusterTrust(authority.Certificate);
        if (Identity.DenyList.Read(signed, ReadGenesis().ClusterHex, trust) is { } theirs
            && theirs.Number > (DenyList(authority)?.Number ?? 0))
            PrivateFiles.Write(Path.Combine(Folder, Identity.DenyList.FileName), signed);
    }

    /// <summary>Every key that was ever given this name and is not denied yet.</summary>
    /// <exception cref="StartRefusedException">No node ever had the name.</exception>
    public IReadOnlyList<Denial> NodesToDeny(string name, DateTimeOffset now)
    {
        var nodes = ReadGenesis().Founders.Where(f => f.Name == name).Select(f => f.Node)
            .Concat(Issued().Where(line => line[0] == name)
                .Select(line => NodeId.FromBytes(Convert.FromHexString(line[2])))).ToArray();
        if (nodes.Length == 0)
            throw new StartRefusedException(
                ExitCode.Usage, $"no node {name} was ever made here. 'chordchat-node ring --data {root}' shows the "
                + "names; for a page's certificate add --viewer.");
        var denied = ReadDenyList(ReadAuthority());
        return [.. nodes.Where(node => denied?.Of(node) is null).Select(node => new Denial.OfNode(name, node, now))];
    }

    /// <summary>All viewers' certificates of this name until now, and those that were made here while the clock was
    /// fast.</summary>
    public IReadOnlyList<Denial> ViewersToDeny(string name, DateTimeOffset now)
    {
        if (!ClusterPlan.IsName(name))
            throw new StartRefusedException(ExitCode.Usage, ClusterPlan.NameProblem(name));
        DateTimeOffset[] until = [ClusterAuthority.ValidSince(now), Viewers.LatestOf(name), DeniedUntil(name)];
        return [new Denial.OfViewers(name, until.Max(), now)];
    }

    /// <summary>Since when a new viewer's certificate of this name is to be valid, so that no denial covers it.
    /// </summary>
    /// <exception cref="StartRefusedException">Denied are certificates that begin later than now.</exception>
    private DateTimeOffset ViewerSince(string name, DateTimeOffset now)
    {
        var usual = DateTimeOffset.FromUnixTimeSeconds(ClusterAuthority.ValidSince(now).ToUnixTimeSeconds());
        if (DeniedUntil(name) is var denied && denied < usual)
            return usual;
        return denied < now
            ? denied.AddSeconds(1)
            : throw new StartRefusedException(
                ExitCode.Usage, $"certificates with the name {name} that begin before {denied:yyyy-MM-dd} are revoked, "
                + "since some were made while this machine's clock was fast; choose another --name.");
    }

    private DateTimeOffset DeniedUntil(string name) =>
        ReadDenyList(ReadAuthority())?.Entries.OfType<Denial.OfViewers>()
            .Where(entry => entry.Name == name).Select(entry => entry.IssuedUntil)
            .DefaultIfEmpty(DateTimeOffset.MinValue).Max() ?? DateTimeOffset.MinValue;

    private ViewerFile Viewers => new(Path.Combine(Folder, ViewerFile.Name));

    /// <summary>Signs and keeps a longer list.</summary>
    public void Deny(ClusterAuthority authority, IReadOnlyList<Denial> more)
    {
        var old = DenyList(authority);
        var viewers = more.OfType<Denial.OfViewers>().Select(entry => entry.Name).ToHashSet();
        // A later denial of the same name covers an earlier one.
        var kept = (old?.Entries ?? []).Where(entry => entry is not Denial.OfViewers || !viewers.Contains(entry.Name));
        var next = new DenyList(ReadGenesis().ClusterHex, (old?.Number ?? 0) + 1, [.. kept, .. more]);
        if (next.Entries.Length > Identity.DenyList.EntriesMax)
            throw new StartRefusedException(
                ExitCode.Usage, $"{Identity.DenyList.EntriesMax} certificates were revoked; a cluster cannot have "
                + "more. Make a new one.");
        PrivateFiles.Write(Path.Combine(Folder, Identity.DenyList.FileName), next.Sign(authority));
    }

    private DenyList? ReadDenyList(X509Certificate2 authority) =>
        Denials.ReadList(Folder, ReadGenesis().ClusterHex, authority);

    private X509Certificate2 ReadAuthority() => ReadCluster().Authority;

    /// <summary>Name, place, node and more of each identity that was made later.</summary>
    /// <exception cref="StartRefusedException">The file is damaged.</exception>
    private string[][] Issued()
    {
        var path = Path.Combine(Folder, IssuedFile);
        string[][] lines = File.Exists(path) ? [.. File.ReadAllLines(path).Select(line => line.Split(' '))] : [];
        foreach (var line in lines)
            if (line is not [_, { Length: RingId.Bits / 4 } place, { Length: 2 * SHA256.HashSizeInBytes } node, ..]
                || !(place + node).All(char.IsAsciiHexDigit))
                throw Damaged(IssuedFile, $"no identity is in the line '{PeerWords.Text(string.Join(' ', line))}'");
        return lines;
    }
}
