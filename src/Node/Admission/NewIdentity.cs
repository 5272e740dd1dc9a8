using System.Text;

namespace ChordChat.Node.Admission;

/// <summary>A node's key and certificate on the way to its folder.</summary>
internal sealed record NewIdentity(string Name, string Key, string Certificate)
{
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
