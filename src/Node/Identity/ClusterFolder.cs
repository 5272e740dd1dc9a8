using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using ChordChat.Core.Ring;
using ChordChat.Crypto;
using ChordChat.Node.Base;

namespace ChordChat.Node.Identity;

/// <summary>DIR/cluster: the authority's key and what every member gets. Needed to invite, never to run.</summary>
/// <remarks>DIR/nodes/NAME are the nodes' own folders, which can be moved to other machines.</remarks>
internal sealed partial class ClusterFolder(string root)
{
    private const string AuthorityName = "authority";
    private const string IssuedFile = "issued";
    private const string LockFile = "lock";
    private static readonly TimeSpan HoldMax = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan HoldPause = TimeSpan.FromMilliseconds(50);

    private string Folder { get; } = Path.Combine(root, "cluster");

    public string NodeFolder(string name) => Path.Combine(root, "nodes", name);

    public GenerationFile Generations => new(Path.Combine(Folder, "generations"));

    public bool Exists => File.Exists(Path.Combine(Folder, GenesisFile.FileName));

    /// <summary>Makes the authority, the secret and the founders' identities.</summary>
    public Genesis Create(ClusterPlan plan, DateTimeOffset now)
    {
        if (Exists)
            throw new StartRefusedException(
                ExitCode.Usage,
                $"{Folder} holds a cluster already. Start its nodes with 'chordchat-node run --data "
                + $"{NodeFolder("NAME")}', or name another --data for another cluster.");
        var secret = RandomNumberGenerator.GetBytes(NodeIdentity.SecretBytes);
        var (authority, id) = ClusterAuthority.Create(now);
        using var _ = authority;
        var cluster = id.ToBytes();
        var founders = plan.Names.Select((name, i) =>
        {
            var wanted = Positions.Even(i, plan.Names.Count);
            return Found(authority, cluster, name, wanted, now);
        }).OrderBy(f => f.Founder.Position).ToArray();
        var genesis = new Genesis
        {
            Cluster = [.. cluster],
            Founders = [.. founders.Select(f => f.Founder)],
            BackupCount = plan.BackupCount,
            Policy = plan.Policy,
            Demo = plan.Demo,
            Created = now,
        };
        var text = GenesisFile.Write(genesis, authority);
        foreach (var (_, identity) in founders)
            identity.Write(NodeFolder(identity.Name), text, secret);
        PrivateFiles.CreateFolder(Folder);
        using (var key = authority.Certificate.GetECDsaPrivateKey()!)
            CertificateFiles.Write(Folder, AuthorityName, authority.Certificate, key);
        PrivateFiles.Write(
            Path.Combine(Folder, NodeIdentity.SecretFile), Encoding.ASCII.GetBytes(Convert.ToHexStringLower(secret)));
        // Last, because its being there means that all of it is.
        PrivateFiles.Write(Path.Combine(Folder, GenesisFile.FileName), text);
        return genesis;
    }

    /// <summary>Reads the authority's key to issue with it.</summary>
    /// <exception cref="StartRefusedException">There is none here, or it is damaged.</exception>
    public ClusterAuthority OpenAuthority()
    {
        RequireCluster();
        try
        {
            return new(CertificateFiles.Read(Folder, AuthorityName));
        }
        catch (Exception e) when (e is CryptographicException or FileNotFoundException)
        {
            throw new StartRefusedException(
                ExitCode.Damaged, $"the authority's key in {Folder} cannot be read: {e.Message}. Without it nobody "
                + "can be invited; running nodes do not need it. Put it back from a backup.");
        }
    }

    /// <exception cref="StartRefusedException">There is none here, or it is damaged.</exception>
    public Genesis ReadGenesis() => ReadCluster().Genesis;

    /// <summary>Holds the folder for one command that reads a record in it and writes a longer one: of two at once one
    /// would lose what the other has written.</summary>
    /// <exception cref="StartRefusedException">Another command held it for too long, or it cannot be
    /// written.</exception>
    public IDisposable Hold()
    {
        RequireCluster();
        var path = Path.Combine(Folder, LockFile);
        for (var begun = Stopwatch.GetTimestamp(); ; Thread.Sleep(HoldPause))
            if (PrivateFiles.TryLock(path) is { } held)
                return held;
            else if (Stopwatch.GetElapsedTime(begun) >= HoldMax)
                throw new StartRefusedException(
                    ExitCode.Usage, $"another command of this cluster has held {path} for {HoldMax.TotalSeconds:0} s. "
                    + "Wait until it has ended, or end it; then type this one again.");
    }

    /// <summary>Makes an identity for a node that will join, under a name nobody has; remembers name and
    /// place.</summary>
    /// <param name="name">Null for the next free one: n6 after n1 to n5.</param>
    public NewIdentity Enrol(ClusterAuthority authority, string? name, DateTimeOffset now)
    {
        using var held = Hold();
        var genesis = ReadGenesis();
        var issued = Issued();
        var names = genesis.Founders.Select(f => f.Name).Concat(issued.Select(line => line[0])).ToHashSet();
        var free = names.Where(known => NodesToDeny(known, now).Count == 0).ToHashSet(); // All of them are revoked.
        name ??= Enumerable.Range(names.Count + 1, int.MaxValue - names.Count - 1)
            .Select(i => $"n{i.ToString(CultureInfo.InvariantCulture)}").First(n => !names.Contains(n));
        if (!ClusterPlan.IsName(name))
            throw new StartRefusedException(ExitCode.Usage, ClusterPlan.NameProblem(name));
        if (names.Contains(name) && !free.Contains(name))
            throw new StartRefusedException(
                ExitCode.Usage, $"the name {name} has been given out already; choose another with --name, or leave it "
                    + "out.");
        var taken = genesis.Founders.Select(f => f.Position)
            .Concat(issued.Select(line => RingId.FirstBytes(Convert.FromHexString(line[1])))).ToArray();
        var (founder, identity) = Found(authority, genesis.Cluster.AsSpan(), name, Positions.WidestGap(taken), now);
        var lines = issued.Select(line => string.Join(' ', line))
            .Append($"{name} {founder.Position} {founder.Node} {now:yyyy-MM-ddTHH:mm:ssZ}");
        PrivateFiles.Write(Path.Combine(Folder, IssuedFile), Encoding.ASCII.GetBytes(string.Join('\n', lines) + "\n"));
        return identity;
    }

    /// <summary>Writes a new certificate for a page into a folder of its own: viewer.crt and viewer.key.</summary>
    /// <param name="name">By which <see cref="ViewersToDeny"/> knows it.</param>
    public void WriteViewer(string folder, DateTimeOffset now, string name = CertificateName.Viewer)
    {
        if (!ClusterPlan.IsName(name))
            throw new StartRefusedException(ExitCode.Usage, ClusterPlan.NameProblem(name));
        using var held = Hold();
        using var authority = OpenAuthority();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var since = ViewerSince(name, now);
        Viewers.Add(name, since); // First: what is not on record could escape a denial.
        using var certificate = authority.IssueViewer(key, name, since, now);
        PrivateFiles.CreateFolder(folder);
        CertificateFiles.Write(folder, CertificateName.Viewer, certificate, key);
    }

    public byte[] ReadGenesisFile() => File.ReadAllBytes(Path.Combine(Folder, GenesisFile.FileName));

    /// <exception cref="StartRefusedException">It is missing or damaged.</exception>
    public byte[] ReadSecret()
    {
        try
        {
            var secret = Convert.FromHexString(File.ReadAllText(Path.Combine(Folder, NodeIdentity.SecretFile)).Trim());
            return secret.Length == NodeIdentity.SecretBytes
                ? secret : throw new FormatException($"it has {secret.Length} bytes, not {NodeIdentity.SecretBytes}");
        }
        catch (Exception e) when (e is FormatException or FileNotFoundException)
        {
            throw Damaged(NodeIdentity.SecretFile, e.Message);
        }
    }

    private (Genesis Genesis, X509Certificate2 Authority) ReadCluster()
    {
        RequireCluster();
        try
        {
            return GenesisFile.Read(ReadGenesisFile());
        }
        catch (FormatException e)
        {
            throw Damaged(GenesisFile.FileName, e.Message);
        }
    }

    private StartRefusedException Damaged(string file, string why) => new(
        ExitCode.Damaged, $"{Path.Combine(Folder, file)} is missing or damaged: {why.TrimEnd('.')}. Put it back from a "
        + "backup; running nodes do not need it.");

    private void RequireCluster()
    {
        if (!Exists)
            throw new StartRefusedException(
                ExitCode.NoNode, $"there is no cluster in {root}: {Folder} is missing. With --data, name the "
                + "folder that 'cluster init' wrote.");
    }

    private static (Founder Founder, NewIdentity Identity) Found(
        ClusterAuthority authority, ReadOnlySpan<byte> cluster, string name, RingId wanted, DateTimeOffset now)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var node = NodeId.FromBytes(SHA256.HashData(key.ExportSubjectPublicKeyInfo()));
        var salt = Positions.SaltNear(cluster, node, wanted);
        using var certificate = authority.IssueNode(key, name, salt, now);
        return (
            new(name, node, RingId.OfNode(cluster, node, salt), ImmutableArray.Create(salt)),
            new(name, key.ExportPkcs8PrivateKeyPem(), certificate.ExportCertificatePem()));
    }
}
