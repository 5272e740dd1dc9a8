using ChordChat.Crypto;
using ChordChat.Crypto.Passwords;
using ChordChat.Sdk.Storage;

namespace ChordChat.Sdk.Profiles;

/// <summary>A profile whose password was right.</summary>
public sealed class UnlockedProfile : IDisposable
{
    internal UnlockedProfile(Profile profile, ClusterId cluster, string user, LocalKey key, Device? device) =>
        (Profile, Cluster, User, Key, Device) = (profile, cluster, user, key, device);

    public Profile Profile { get; }

    public ClusterId Cluster { get; }

    public string User { get; }

    internal LocalKey Key { get; }

    internal Device? Device { get; }

    internal LocalStore Store => Profile.Store;

    /// <exception cref="ChordChatException">The keys of this device are gone.</exception>
    internal Device RequireDevice() => Device ?? throw new ChordChatException(
        "not_logged_in", $"{User} is not logged in on this machine any more",
        $"log in again with 'chordchat login {User}'; the history here stays");

    public void Dispose()
    {
        Key.Dispose();
        Device?.Dispose();
    }
}
