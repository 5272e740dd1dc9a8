using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using ChordChat.Crypto;
using ChordChat.Node.Base;

namespace ChordChat.Node.Identity;

/// <summary>Who a node is and which cluster it belongs to: the four files of its folder, checked against each
/// other.</summary>
/// <param name="Certificate">With its private key.</param>
/// <param name="Self">What the certificate says of this node.</param>
/// <param name="Secret">32 bytes that only nodes know; keys the hashes of beacons.</param>
internal sealed record NodeIdentity(
    X509Certificate2 Certificate, NodeCertificate Self, Genesis Genesis, ClusterTrust Trust, byte[] Secret)
{
    public const string KeyName = "identity";
    public const string SecretFile = "secret";
    public const int SecretBytes = 32;

    /// <summary>Reads a node's folder.</summary>
    /// <exception cref="StartRefusedException">A file is missing, damaged, or of another cluster.</exception>
    public static NodeIdentity Read(string folder)
    {
        foreach (var name in new[] { $"{KeyName}.key", $"{KeyName}.crt", GenesisFile.FileName, SecretFile })
        {
            if (!File.Exists(Path.Combine(folder, name)))
                throw new StartRefusedException(
                    ExitCode.NoNode,
                    $"{folder} is not the folder of a node: it has no {name}. Make a cluster with 'chordchat-node "
                    + "cluster init' or join one with 'chordchat-node cluster join', then name the folder "
                    + "nodes/NAME with --data.");
        }

        var (genesis, authority) = ReadGenesis(folder);
        var trust = new ClusterTrust(authority, Denials.ReadList(folder, genesis.ClusterHex, authority));
        var certificate = ReadCertificate(folder);
        var self = NodeCertificate.Read(certificate)
            ?? throw Damaged(folder, $"{KeyName}.crt is not a node's certificate");
        if (!self.Cluster.AsSpan().SequenceEqual(genesis.Cluster.AsSpan()))
            throw new StartRefusedException(
                ExitCode.Foreign,
                $"{folder}: {KeyName}.crt is of cluster {Convert.ToHexStringLower(self.Cluster.AsSpan()[..4])}, but "
                + $"{GenesisFile.FileName} is of cluster {genesis.ShortName}. Files of two clusters were mixed: put "
                + "back the folder as 'cluster init' or 'cluster join' made it.");
        switch (trust.Judge(certificate, DateTimeOffset.UtcNow))
        {
            case IssueVerdict.Foreign:
                throw Damaged(folder, $"{KeyName}.crt was not issued by the authority in {GenesisFile.FileName}");
            case IssueVerdict.NotYetValid or IssueVerdict.Expired:
                throw new StartRefusedException(
                    ExitCode.WrongTime,
                    $"{folder}: {trust.Objection(certificate, "this node's", DateTimeOffset.UtcNow)}.");
        }

        return new(certificate, self, genesis, trust, ReadSecret(folder));
    }

    private static (Genesis Genesis, X509Certificate2 Authority) ReadGenesis(string folder)
    {
        try
        {
            return GenesisFile.Read(File.ReadAllBytes(Path.Combine(folder, GenesisFile.FileName)));
        }
        catch (FormatException e)
        {
            throw Damaged(folder, $"{GenesisFile.FileName} is not to be trusted: {e.Message}");
        }
    }

    private static X509Certificate2 ReadCertificate(string folder)
    {
        try
        {
            return CertificateFiles.Read(folder, KeyName);
        }
        catch (CryptographicException e)
        {
            throw Damaged(folder, $"its identity cannot be read: {e.Message}");
        }
    }

    private static byte[] ReadSecret(string folder)
    {
        try
        {
            var secret = Convert.FromHexString(File.ReadAllText(Path.Combine(folder, SecretFile)).Trim());
            return secret.Length == SecretBytes ? secret : throw new FormatException();
        }
        catch (FormatException)
        {
            throw Damaged(folder, $"{SecretFile} is damaged");
        }
    }

    private static StartRefusedException Damaged(string folder, string what) => new(
        ExitCode.Damaged,
        $"{folder}: {what}. Put the file back from where it was copied, or give this node up: move the folder away and "
        + "join again as a new node with 'chordchat-node cluster join'. Its messages are kept by other nodes.");
}
