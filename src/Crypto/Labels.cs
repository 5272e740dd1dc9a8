using System.Text;

namespace ChordChat.Crypto;

/// <summary>
/// Every label of every hash, derived key and signature: one purpose, one label, one file that uses it.
/// </summary>
/// <remarks>Each is L(x) = b8("ChordChat/1/" + x), ready to stand in front of the data. docs/e2e.md, Labels.</remarks>
internal static class Labels
{
    // Hashes.
    public static readonly byte[] ClusterId = L("cluster-id");
    public static readonly byte[] PasswordSalt = L("pw-salt");
    public static readonly byte[] EncryptionKeyId = L("ek-id");
    public static readonly byte[] IdentityKeyId = L("ik-id");
    public static readonly byte[] KeyLogHash = L("keylog-hash");
    public static readonly byte[] RingHash = L("ring-hash");
    public static readonly byte[] DirectConversation = L("conv-direct");
    public static readonly byte[] DirectPrefix = L("direct-prefix");
    public static readonly byte[] DirectBody = L("direct-body");

    // Derived keys.
    public static readonly byte[] Auth = L("auth");
    public static readonly byte[] KeyringKek = L("keyring-kek");
    public static readonly byte[] LocalKey = L("local-key");
    public static readonly byte[] Keyring = L("keyring");
    public static readonly byte[] Recovery = L("recovery");
    public static readonly byte[] Settings = L("settings");
    public static readonly byte[] Local = L("local");
    public static readonly byte[] Direct = L("direct");

    // PBKDF2 salts.
    public static readonly byte[] Safety = L("safety");

    // Signatures.
    public static readonly byte[] SignKeyLog = L("sig/keylog");
    public static readonly byte[] SignKeyLogRotation = L("sig/keylog-rotate");
    public static readonly byte[] SignSession = L("sig/session");
    public static readonly byte[] SignPass = L("sig/pass");
    public static readonly byte[] SignSettings = L("sig/settings");
    public static readonly byte[] SignDirect = L("sig/direct");

    private static byte[] L(string label)
    {
        var text = Encoding.ASCII.GetBytes("ChordChat/1/" + label);
        return [checked((byte)text.Length), .. text];
    }
}
