using System.Security.Cryptography;
using System.Text;
using ChordChat.Node.Replication;

namespace ChordChat.Tests.Cluster.Nodes;

/// <summary>Registers for tests that write texts of their own: of the kind in which a node proves that it can write,
/// since every other kind has rules (docs/protocol.md#value-rules). A text has at most 256 letters.</summary>
internal static class FreeRegister
{
    public static RegisterKey Named(string name) =>
        new($"ready/{Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(name)))}");
}
