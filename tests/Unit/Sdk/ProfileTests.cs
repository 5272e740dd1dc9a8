using System.Text;
using ChordChat.Crypto;
using ChordChat.Crypto.KeyLogs;
using ChordChat.Crypto.Passwords;
using ChordChat.Sdk;
using ChordChat.Sdk.Messages;
using ChordChat.Sdk.Nodes;
using ChordChat.Sdk.Profiles;
using ChordChat.Sdk.Storage;
using ChordChat.Tests.Unit.Crypto;
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
        profile.RememberNodes([new("127.0.0.1:7401", "AB"), new("127.0.0.1:7402", null)]);
        foreach (var made in Directory.GetFiles(_folder, "profile.db*"))
            Assert.Equal(Owner, File.GetUnixFileMode(made));
    }

    private const UnixFileMode Everybody = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
        | UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute
        | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    /// <summary>docs/security.md, The folder of a profile.</summary>
    [Fact]
    public void A_folder_in_which_everybody_could_write_is_closed_and_one_that_everybody_could_replace_is_refused()
    {
        if (OperatingSystem.IsWindows())
            return;
        Make();
        File.SetUnixFileMode(_folder, Everybody);
        Profile.Open(_folder).Dispose();
        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute,
            new DirectoryInfo(_folder).UnixFileMode);

        File.SetUnixFileMode(_folder, Everybody);
        var inside = Path.Combine(_folder, "alice");
        foreach (var name in (string[])[inside, inside + "/", inside + "//"])
        {
            var refused = Assert.Throws<ChordChatException>(() => Profile.Open(name));
            Assert.Equal("unsafe_profile", refused.Code);
            Assert.Contains($"chmod o-w {_folder}", refused.Hint, StringComparison.Ordinal);
        }

        Assert.False(Directory.Exists(inside));
        File.SetUnixFileMode(_folder, Everybody | UnixFileMode.StickyBit); // As /tmp is.
        Profile.Open(inside).Dispose();
    }

    /// <summary>docs/e2e.md, Damage: whatever the disk did, words and no change.</summary>
    [Theory]
    [InlineData("header")]
    [InlineData("all zeros")]
    [InlineData("cut to 100")]
    [InlineData("cut to 5000")]
    [InlineData("half")]
    [InlineData("empty")]
    [InlineData("first page")]
    public void A_damaged_file_is_refused_in_words_and_stays_as_it_is(string damage)
    {
        Make();
        using (var lease = new SessionLease(_folder))
            Assert.True(lease.TryTake()); // Somebody was in session with it.
        var file = Path.Combine(_folder, "profile.db");
        var bytes = File.ReadAllBytes(file);
        var damaged = damage switch
        {
            "header" => ((byte[])[.. "garbage garbage!"u8, .. bytes[16..]]),
            "all zeros" => new byte[bytes.Length],
            "cut to 100" => bytes[..100],
            "cut to 5000" => bytes[..5000],
            "half" => bytes[..(bytes.Length / 2)],
            "first page" => [.. bytes[..100], .. new byte[4096 - 100], .. bytes[4096..]],
            _ => [],
        };
        File.WriteAllBytes(file, damaged);
        var refused = Assert.Throws<ChordChatException>(ReadAll);
        Assert.Equal("profile_damaged", refused.Code);
        Assert.Contains("backup", refused.Hint, StringComparison.Ordinal);
        Assert.True(Profile.ExistsIn(_folder)); // Nobody registers over it.
        Assert.Equal(damaged, File.ReadAllBytes(file));
    }

    /// <summary>Zeros anywhere: what can be read is, and the rest is refused in words.</summary>
    [Fact]
    public void Pages_of_zeros_anywhere_are_told_in_words_or_not_needed()
    {
        Make();
        var file = Path.Combine(_folder, "profile.db");
        var bytes = File.ReadAllBytes(file);
        var refusals = 0;
        for (var page = 4096; page < bytes.Length; page += 4096)
        {
            var damaged = bytes.ToArray();
            Array.Clear(damaged, page, 4096);
            File.WriteAllBytes(file, damaged);
            try
            {
                ReadAll();
            }
            catch (ChordChatException cause)
            {
                Assert.Contains(cause.Code, (string[])["profile_damaged", "not_logged_in"]);
                refusals++;
            }
        }

        Assert.InRange(refusals, 1, int.MaxValue);
    }

    private void ReadAll()
    {
        using var profile = Profile.Open(_folder);
        using var me = profile.Unlock(Password);
        History.Of(me).With("bob");
        History.Of(me).Unread();
        History.Of(me).Chats();
        profile.RememberNodes([new("127.0.0.1:7401", "AB"), new("127.0.0.1:7402", null)]);
    }

    [Fact]
    public void Logging_out_forgets_the_keys_and_keeps_the_history()
    {
        Make();
        using var profile = Profile.Open(_folder);
        profile.ForgetDevice(profile.SealedDevice, null);
        Assert.False(profile.HasDevice);
        using var me = profile.Unlock(Password);
        Assert.Null(me.Device);
        Assert.Single(History.Of(me).With("bob"));
        Assert.Equal("not_logged_in", Assert.Throws<ChordChatException>(me.RequireDevice).Code);
    }

    /// <summary>docs/e2e.md, New device: who retires a device forgets that one only.</summary>
    [Fact]
    public void A_device_that_somebody_has_just_logged_in_stays_when_the_one_before_it_is_forgotten()
    {
        Make();
        using var profile = Profile.Open(_folder);
        using var me = profile.Unlock(Password);
        using var other = Profile.Open(_folder);
        other.Store.Write(db => db.Execute(
            "UPDATE facts SET value = $1 WHERE name = 'device'", me.Key.Seal("device", me.Device!.Write())));

        Assert.Null(me.ForgetDevice(me.Device!.Log));
        Assert.True(profile.HasDevice);
        Assert.Empty(History.Of(me).Unsent());

        Assert.True(me.TakeNewDevice());
        Assert.NotNull(me.ForgetDevice(null));
        Assert.False(profile.HasDevice);
        Assert.NotNull(me.ForgetDevice(null)); // Another program has forgotten it.
    }

    /// <summary>docs/e2e.md, New device: nobody tells this device any more what became of it.</summary>
    [Fact]
    public void What_a_node_had_when_the_device_was_replaced_is_unsent_and_says_that_it_may_have_been_kept()
    {
        Make();
        using var profile = Profile.Open(_folder);
        using var me = profile.Unlock(Password);
        var outbox = new Outbox(me, null!, new MessageTable(me.User, me.Key), TimeProvider.System);
        var history = History.Of(me);
        var ids = Enumerable.Range(0, 3).Select(i => outbox.Add("bob", "text"u8.ToArray())).ToList();
        me.Store.Write(db => MessageTable.Advance(db, ids[0], MessageReport.Queued, [], 3, ""));
        me.Store.Write(db => MessageTable.Advance(db, ids[1], MessageReport.Kept, ["n1", "n2"], 3, ""));

        Assert.Equal(2, me.ForgetDevice(null));

        Assert.Equal(
            [MessageState.Unsent, MessageState.Kept, MessageState.Unsent], ids.Select(id => history.Find(id)!.State));
        Assert.Equal(
            ["a node had it: it may have been kept", "", ""], ids.Select(id => history.Find(id)!.Note));
        outbox.SendAgain(ids);
        Assert.Equal((MessageState.Waiting, ""), (history.Find(ids[0])!.State, history.Find(ids[0])!.Note));
    }

    /// <summary>README.md: what you write here after you logged in elsewhere is `unsent`.</summary>
    [Fact]
    public void What_is_written_after_the_device_is_gone_is_unsent_and_goes_out_only_if_its_sender_wants_it()
    {
        Make();
        using var profile = Profile.Open(_folder);
        using var me = profile.Unlock(Password);
        var outbox = new Outbox(me, null!, new MessageTable(me.User, me.Key), TimeProvider.System);
        me.ForgetDevice(null);
        var before = outbox.Texts;

        var id = outbox.Add("bob", "typed too late"u8.ToArray());

        var history = History.Of(me);
        Assert.Equal(MessageState.Unsent, history.Find(id)!.State);
        Assert.Contains(history.Unsent(), message => message.Id == id);
        Assert.Equal(before, outbox.Texts);
        outbox.SendAgain([id]);
        Assert.Equal(MessageState.Waiting, history.Find(id)!.State);
        Assert.Equal(before + 1, outbox.Texts);
    }

    /// <summary>docs/e2e.md, Session: each hello of a copy counts once.</summary>
    [Fact]
    public void The_next_hello_is_later_than_that_of_a_copy_whatever_time_that_has()
    {
        Make();
        using var profile = Profile.Open(_folder);
        var first = profile.NextHelloMs();
        profile.CopyHasMadeHello((ulong)first + 3_600_000);
        Assert.Equal(first + 3_600_001, profile.NextHelloMs());
        profile.CopyHasMadeHello(1);
        Assert.Equal(first + 3_600_002, profile.NextHelloMs());
        profile.CopyHasMadeHello(ulong.MaxValue);
        Assert.Equal(Profile.HelloMsMax + 1, profile.NextHelloMs());
        Assert.Equal(Profile.HelloMsMax + 2, profile.NextHelloMs());
    }

    [Fact]
    public void A_new_device_begins_with_the_time_of_its_clock_again()
    {
        Make(renew: profile => profile.CopyHasMadeHello(ulong.MaxValue));
        using var profile = Profile.Open(_folder);
        Assert.InRange(profile.NextHelloMs(), 1, Profile.HelloMsMax);
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
    /// <param name="renew">Makes it a new device then, after this.</param>
    private byte[] Make(Action<Profile>? renew = null)
    {
        using var profile = Profile.Open(_folder);
        var cluster = ClusterId.New();
        var kdf = KdfParameters.FromBytes(KdfParameters.IterationsMin, new byte[16]);
        using var keys = PasswordKeys.Derive(cluster, "alice", Password, kdf)!;
        var ready = new ReadyKeys();
        using var identity = ready.Identity();
        var device = ready.Device();
        var entry = KeyLogEntryBuilder.Create(cluster, "alice", 1, identity, device, default, kdf);
        var log = KeyLog.Verify(cluster, "alice", [entry.Bytes.ToArray()])!;
        using var authority = TestAuthority.Make();
        using var me = profile.Save(
            new Device(log, device.Signing, [device.Encryption]), kdf, keys, new ClusterTrust(authority.RawData));
        var messages = new MessageTable("alice", me.Key);
        profile.Store.Write(db => messages.InsertMine(db, new string('0', 32), "bob", Encoding.UTF8.GetBytes(Text), 1));
        if (renew is not null)
        {
            renew(profile);
            var newer = ready.Device();
            var next = KeyLogEntryBuilder.NewDevice(entry, 2, identity, newer, default, kdf);
            profile.Save(
                new Device(log.Append(next.Bytes.Span)!, newer.Signing, [newer.Encryption]), kdf, keys,
                new ClusterTrust(authority.RawData)).Dispose();
        }

        return device.Signing.ExportPkcs8();
    }
}
