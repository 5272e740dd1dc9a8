using System.Text;
using ChordChat.Crypto;
using ChordChat.Crypto.KeyLogs;
using ChordChat.Crypto.Keys;
using ChordChat.Crypto.Passwords;
using ChordChat.Sdk;
using ChordChat.Sdk.Messages;
using ChordChat.Sdk.Nodes;
using ChordChat.Sdk.Profiles;
using Xunit;

namespace ChordChat.Tests.Unit.Sdk;

public sealed class ProfileTests : IDisposable
{
    private const string Password = "canary in the password";
    private const string Text = "canary in the text";

    private readonly string _folder = Path.Combine(Path.GetTempPath(), "chordchat-tests", Guid.NewGuid().ToString("n"));

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>SQLite's files come with the first program that opens the profile and go with the last.</summary>
    [Fact]
    public async Task A_profile_opens_while_files_beside_it_come_and_go()
    {
        Make();
        using var stop = new CancellationTokenSource();
        var others = Task.Run(() =>
        {
            for (var i = 0; !stop.IsCancellationRequested; i = (i + 1) % 8)
            {
                var beside = Path.Combine(_folder, $"profile.db-{i}");
                File.WriteAllBytes(beside, []);
                File.Delete(beside);
            }
        });
        for (var i = 0; i < 200; i++)
            using (var profile = Profile.Open(_folder))
                Assert.Equal("alice", profile.User);
        await stop.CancelAsync();
        await others;
    }

    [Fact]
    public void A_profile_opens_offline_with_its_password_and_only_with_it()
    {
        Make();
        using var profile = Profile.Open(_folder);
        Assert.Equal(("alice", true), (profile.User, profile.HasDevice));
        Assert.Equal("wrong_password", Assert.Throws<ChordChatException>(() => profile.Unlock("wrong")).Code);
        using var me = profile.Unlock(Password);
        Assert.Equal(1u, me.Device!.Epoch);
        Assert.Equal(Text, Assert.Single(History.Of(me).With("bob")).Text);
    }

    [Fact]
    public void What_is_left_of_a_refused_registration_is_nobodys_profile()
    {
        Profile.Open(_folder).Dispose();
        Assert.False(Profile.ExistsIn(_folder));
        Make();
        Assert.True(Profile.ExistsIn(_folder));
    }

    [Fact]
    public void Nothing_secret_stands_in_the_folder_in_the_clear()
    {
        var key = Make();
        foreach (var file in Directory.GetFiles(_folder))
        {
            var bytes = File.ReadAllBytes(file);
            foreach (var canary in new[] { Text, Password, "canary" })
                Assert.True(bytes.AsSpan().IndexOf(Encoding.UTF8.GetBytes(canary)) < 0, $"{canary} stands in {file}");
            Assert.True(bytes.AsSpan().IndexOf(key.AsSpan(36, 32)) < 0, $"a private key stands in {file}");
            if (!OperatingSystem.IsWindows())
                Assert.Equal(
                    UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute,
                    new DirectoryInfo(_folder).UnixFileMode);
        }
    }

    [Fact]
    public void A_profile_that_others_could_read_is_closed_to_them()
    {
        if (OperatingSystem.IsWindows())
            return;
        Make();
        const UnixFileMode Owner = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        var file = Path.Combine(_folder, "profile.db");
        Assert.Equal(Owner, File.GetUnixFileMode(file));
        File.SetUnixFileMode(file, Owner | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
        using var profile = Profile.Open(_folder);
        profile.RememberNodes(["127.0.0.1:7401"]);
        foreach (var made in Directory.GetFiles(_folder, "profile.db*"))
            Assert.Equal(Owner, File.GetUnixFileMode(made));
    }

    [Fact]
    public void Logging_out_forgets_the_keys_and_keeps_the_history()
    {
        Make();
        using var profile = Profile.Open(_folder);
        profile.ForgetDevice(null);
        Assert.False(profile.HasDevice);
        using var me = profile.Unlock(Password);
        Assert.Null(me.Device);
        Assert.Single(History.Of(me).With("bob"));
        Assert.Equal("not_logged_in", Assert.Throws<ChordChatException>(me.RequireDevice).Code);
    }

    [Fact]
    public void One_process_at_a_time_holds_the_session()
    {
        Make();
        using var first = new SessionLease(_folder);
        using var second = new SessionLease(_folder);
        Assert.False(Profile.IsInUse(_folder));
        Assert.True(first.TryTake());
        Assert.True(Profile.IsInUse(_folder));
        Assert.False(second.TryTake());
        first.Dispose();
        Assert.True(second.TryTake());
    }

    /// <returns>The device's private key.</returns>
    private byte[] Make()
    {
        using var profile = Profile.Open(_folder);
        var cluster = ClusterId.New();
        var kdf = KdfParameters.FromBytes(KdfParameters.IterationsMin, new byte[16]);
        using var keys = PasswordKeys.Derive(cluster, "alice", Password, kdf)!;
        using var identity = IdentityKey.Create();
        var device = DeviceKeys.Create();
        var entry = KeyLogEntryBuilder.Create(cluster, "alice", 1, identity, device, default, kdf);
        var log = KeyLog.Verify(cluster, "alice", [entry.Bytes.ToArray()])!;
        using var authority = TestAuthority.Make();
        using var me = profile.Save(
            new Device(log, device.Signing, [device.Encryption]), kdf, keys, new ClusterTrust(authority.RawData));
        var messages = new MessageTable("alice", me.Key);
        profile.Store.Write(db => messages.InsertMine(db, new string('0', 32), "bob", Encoding.UTF8.GetBytes(Text), 1));
        return device.Signing.ExportPkcs8();
    }
}
