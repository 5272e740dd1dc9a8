using ChordChat.Crypto;
using ChordChat.Crypto.KeyLogs;
using ChordChat.Crypto.Passwords;
using ChordChat.Sdk.Storage;

namespace ChordChat.Sdk.Profiles;

/// <summary>A profile whose password was right.</summary>
public sealed class UnlockedProfile : IDisposable
{
    private readonly List<Device> _replaced = [];
    private volatile byte[]? _record;

    /// <param name="record">The device's keys, sealed, as they stand in the profile.</param>
    internal UnlockedProfile(
        Profile profile, ClusterId cluster, string user, LocalKey key, Device? device, byte[]? record) =>
        (Profile, Cluster, User, Key, Device, _record) = (profile, cluster, user, key, device, record);

    public Profile Profile { get; }

    public ClusterId Cluster { get; }

    public string User { get; }

    internal LocalKey Key { get; }

    internal Device? Device { get; private set; }

    internal LocalStore Store => Profile.Store;

    /// <summary>The user's own key log as nodes have shown it here.</summary>
    internal KeyLog? OwnLog => Profile.OwnLog(Cluster, User, Key);

    /// <summary>Takes the device that stands in the profile now: somebody may have logged in here anew.</summary>
    /// <returns>Whether it is another one than before.</returns>
    internal bool TakeNewDevice()
    {
        if (Profile.SealedDevice is not { } record || record.AsSpan().SequenceEqual(_record))
            return false;
        if (Device is not null)
            _replaced.Add(Device); // Somebody may still be using it.
        Device = Device.Parse(Cluster, User, Key.OpenRecord("device", record));
        _record = record;
        return true;
    }

    /// <summary>Forgets the keys of the device that is used here, unless somebody has logged in here anew.</summary>
    /// <inheritdoc cref="Profile.ForgetDevice"/>
    internal int? ForgetDevice(KeyLog? newest) => Profile.ForgetDevice(_record, newest);

    /// <exception cref="ChordChatException">The keys of this device are gone.</exception>
    internal Device RequireDevice() => Device ?? throw NotLoggedIn;

    internal ChordChatException NotLoggedIn => new(
        "not_logged_in", $"{User} is not logged in on this machine any more",
        $"log in again with '{ProfileCommand.Of(Profile, $"login {User}")}'; the history here stays");

    public void Dispose()
    {
        Key.Dispose();
        Device?.Dispose();
        foreach (var device in _replaced)
            device.Dispose();
    }
}
