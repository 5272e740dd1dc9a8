using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using ChordChat.Node.Base;

namespace ChordChat.Node.Identity;

/// <summary>A node's key and certificate on the way to its folder.</summary>
internal sealed record NewIdentity(string Name, string Key, string Certificate)
{
    /// <summary>The node that it makes, before any of it is on the disk.</summary>
    /// <exception cref="StartRefusedException">The parts do not belong together, or this machine's clock is
    /// wrong.</exception>
    public NodeIdentity Open(byte[] genesis, byte[] secret)
    {
        try
        {
            var (parsed, authority) = GenesisFile.Read(genesis);
            var trust = new ClusterTrust(authority);
            using var plain = X509Certificate2.CreateFromPem(Certificate);
            using var key = ECDsa.Create();
            key.ImportFromPem(Key);
            if (trust.Objection(plain, "this node's", DateTimeOffset.UtcNow) is { } why)
                throw new StartRefusedException(ExitCode.WrongTime, $"{why}.");
            var self = trust.NodeOf(plain) ?? throw new FormatException("the cluster's authority did not issue it");
            return new(CertificateFiles.WithKey(plain, key), self, parsed, trust, secret);
        }
        catch (Exception e) when (e is FormatException or CryptographicException or ArgumentException)
        {
            throw new StartRefusedException(
                ExitCode.Damaged, $"the identity that was made for {Name} is not valid: {e.Message}.");
        }
    }

    /// <summary>Lays out a node's folder with what it needs to run: identity, genesis, secret.</summary>
    public void Write(string folder, byte[] genesis, byte[] secret)
    {
        PrivateFiles.CreateFolder(folder);
        PrivateFiles.Write(Path.Combine(folder, $"{NodeIdentity.KeyName}.key"), Encoding.ASCII.GetBytes(Key));
        PrivateFiles.Write(Path.Combine(folder, $"{NodeIdentity.KeyName}.crt"), Encoding.ASCII.GetBytes(Certificate));
        PrivateFiles.Write(
            Path.Combine(folder, NodeIdentity.SecretFile), Encoding.ASCII.GetBytes(Convert.ToHexStringLower(secret)));
        PrivateFiles.Write(Path.Combine(folder, GenesisFile.FileName), genesis);
    }
}
