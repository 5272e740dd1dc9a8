using ChordChat.Crypto.KeyLogs;
using ChordChat.Crypto.Keys;
using ChordChat.Crypto.Passwords;
using ChordChat.Sdk.Profiles;
using ChordChat.Tests.Unit.Crypto;

namespace ChordChat.Tests.Unit.Client;

/// <summary>Alice's profile, and the logs of carol's keys, of whom alice knows nothing yet.</summary>
internal sealed class CarolsKeys : IDisposable
{
    private static readonly KdfParameters Kdf = KdfParameters.FromBytes(KdfParameters.IterationsMin, new byte[16]);

    private readonly FilledProfile _filled = new();
    private readonly ReadyKeys _ready = new();
    private readonly Profile _profile;
    private readonly IdentityKey _identity;

    public CarolsKeys()
    {
        _profile = Profile.Open(_filled.Folder);
        Alice = _profile.Unlock(FilledProfile.Password);
        _identity = _ready.Identity();
        First = Created(1);
    }

    /// <summary>Of alice's profile.</summary>
    public string Folder => _filled.Folder;

    public UnlockedProfile Alice { get; }

    public KeyLog First { get; }

    /// <summary>A first entry, of a device of its own each time.</summary>
    public KeyLog Created(ulong timeMs) => KeyLog.Verify(Alice.Cluster, "carol",
    [
        KeyLogEntryBuilder.Create(Alice.Cluster, "carol", timeMs, _identity, _ready.Device(), default, Kdf)
            .Bytes.ToArray(),
    ])!;

    public KeyLog WithNewDevice(KeyLog log) => log.Append(KeyLogEntryBuilder.NewDevice(
        log.Head, 2, _identity, _ready.Device(), default, Kdf).Bytes.Span)!;

    /// <param name="log">The first identity is its newest.</param>
    public KeyLog Rotated(KeyLog log) => log.Append(KeyLogEntryBuilder.RotateIdentity(
        log.Head, 2, _identity, _ready.Identity(), _ready.Device(), default, Kdf).Bytes.Span)!;

    public void Dispose()
    {
        Alice.Dispose();
        _profile.Dispose();
        _filled.Dispose();
    }
}
