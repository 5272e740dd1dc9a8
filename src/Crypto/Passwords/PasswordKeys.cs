using System.Buffers.Text;
using System.Security.Cryptography;
using ChordChat.Crypto.Formats;

namespace ChordChat.Crypto.Passwords;

/// <summary>What is derived from a password: one secret for the node, and keys that never leave the client.</summary>
/// <remarks>
/// docs/e2e.md, Passwords. Dispose zeroes the keys; <see cref="AuthSecret"/> is text and cannot be zeroed.
/// </remarks>
public sealed class PasswordKeys : IDisposable
{
    private const int KeyBytes = 32;

    private readonly byte[] _keyringKey;
    private readonly byte[] _localKey;

    private PasswordKeys(string authSecret, byte[] keyringKey, byte[] localKey) =>
        (AuthSecret, _keyringKey, _localKey) = (authSecret, keyringKey, localKey);

    /// <summary>43 ASCII characters: all that a node sees of the password, and what it runs bcrypt over.</summary>
    public string AuthSecret { get; }

    /// <summary>kek: seals the keyring. Never leaves the client.</summary>
    internal ReadOnlySpan<byte> KeyringKey => _keyringKey;

    /// <summary>Seals what a client keeps on its own disk.</summary>
    public LocalKey ToLocalKey() => LocalKey.FromBytes(_localKey);

    /// <summary>Stretches a password: about 0.3 s of one core at the default number of iterations.</summary>
    /// <returns>
    /// Null for text that no password can be, or parameters outside floor and cap: do not send anything.
    /// </returns>
    /// <exception cref="PlatformNotSupportedException">This process cannot normalise Unicode.</exception>
    public static PasswordKeys? Derive(ClusterId cluster, string user, string password, KdfParameters kdf)
    {
        if (!kdf.AreAcceptable || !UserName.IsValid(user) || Password.TryNormalize(password) is not { } bytes)
            return null;
        var master = Master(cluster, user, bytes, kdf);
        CryptographicOperations.ZeroMemory(bytes);
        var context = new Writer().Cluster(cluster).User(user).Finish();
        var auth = Expand(master, Labels.Auth, context);
        var keys = new PasswordKeys(
            Base64Url.EncodeToString(auth),
            Expand(master, Labels.KeyringKek, context),
            Expand(master, Labels.LocalKey, context));
        CryptographicOperations.ZeroMemory(auth);
        CryptographicOperations.ZeroMemory(master);
        return keys;
    }

    public void Dispose()
    {
        CryptographicOperations.ZeroMemory(_keyringKey);
        CryptographicOperations.ZeroMemory(_localKey);
    }

    /// <summary>Random and bound to the name, so that no node can have many users stretched with one table.</summary>
    internal static Digest SaltOf(ClusterId cluster, string user, KdfParameters kdf) =>
        Digest.Of(Labels.PasswordSalt, new Writer().Cluster(cluster).User(user).U128(kdf.Salt).Finish());

    internal static byte[] Master(ClusterId cluster, string user, ReadOnlySpan<byte> password, KdfParameters kdf) =>
        Rfc2898DeriveBytes.Pbkdf2(
            password, SaltOf(cluster, user, kdf).ToBytes(), (int)kdf.Iterations, HashAlgorithmName.SHA256, KeyBytes);

    private static byte[] Expand(byte[] master, byte[] label, byte[] context) =>
        HKDF.DeriveKey(HashAlgorithmName.SHA256, master, KeyBytes, salt: [], info: [.. label, .. context]);
}
