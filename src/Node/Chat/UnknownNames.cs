using System.Security.Cryptography;
using System.Text;
using ChordChat.Crypto.Passwords;

namespace ChordChat.Node.Chat;

/// <summary>What is said of names that nobody has, so that it sounds like somebody.</summary>
/// <remarks>docs/security.md, "Names". The same for a name each time and at every node: it follows from the cluster's
/// ticket key.</remarks>
internal sealed class UnknownNames(ChatIdentity identity)
{
    public KdfParameters KdfOf(string name)
    {
        byte[] data = [.. "ChordChat/1/unknown-name"u8, .. Encoding.ASCII.GetBytes(name)];
        var salt = HMACSHA256.HashData(identity.TicketKey.Span, data).AsSpan(0, KdfParameters.SaltBytes);
        return KdfParameters.FromBytes(KdfParameters.IterationsDefault, salt);
    }
}
