using ChordChat.Crypto.Keys;
using ChordChat.Crypto.Passwords;

namespace ChordChat.Sdk.Accounts;

/// <summary>Where the keys of a new account or device come from, and how its password is stretched: an RSA key takes a
/// second to make, so tests have theirs ready.</summary>
internal sealed record KeySource(Func<IdentityKey> Identity, Func<DeviceKeys> Device, Func<KdfParameters> Kdf)
{
    public static readonly KeySource New = new(IdentityKey.Create, DeviceKeys.Create, KdfParameters.New);
}
