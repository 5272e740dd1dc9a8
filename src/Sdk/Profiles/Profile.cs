using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using ChordChat.Crypto;
using ChordChat.Crypto.KeyLogs;
using ChordChat.Crypto.Passwords;
using ChordChat.Sdk.Accounts;
using ChordChat.Sdk.Messages;
using ChordChat.Sdk.Nodes;
using ChordChat.Sdk.Storage;

namespace ChordChat.Sdk.Profiles;

/// <summary>One user's folder on one machine: trust pins, device keys and history in one SQLite file.</summary>
/// <remarks>
/// A random key seals every text and every private key; that key itself is sealed under the password, so that reading
/// offline asks for the password and nothing else. Names, times and states of messages stand in the clear.
/// </remarks>
public sealed class Profile : IDisposable
{
    private const string UnfinishedFact = "unfinished";
    private const string SignedFact = "signed-entry";
    private const string OwnLogFact = "own-log";
    private const string PassFact = "pass";
    private const string CopiedFact = "copied";
    private const string RenewedFact = "renewed";
    private const string HelloFact = "hello";

    /// <summary>Of the last device that this profile was.</summary>
    private const string EpochFact = "epoch";

    /// <summary>How often a profile becomes a new device because a contact says that it is a copy.</summary>
    private static readonly TimeSpan RenewInterval = TimeSpan.FromDays(1);

    /// <summary>The time never passes this. No clock gets that far, and a profile that was pushed to it counts on from
    /// there.</summary>
    internal const long HelloMsMax = 1L << 62;

    private Profile(string folder, LocalStore store)
    {
        Folder = folder;
        Store = store;
        Trust = new ClusterTrust(Fact("authority"));
    }

    public string Folder { get; }

    /// <summary>Whose profile this is; null until somebody registered or logged in here.</summary>
    public string? User => Fact("user") is { } name ? Encoding.UTF8.GetString(name) : null;

    /// <summary>The cluster it belongs to; null as long as <see cref="User"/> is.</summary>
    public ClusterId? Cluster => Fact("cluster") is { } bytes ? Whole(() => ClusterId.FromBytes(bytes)) : null;

    public ClusterTrust Trust { get; }

    /// <summary>Whether the keys of a device are here; false after a logout.</summary>
    public bool HasDevice => Store.Read(HasDeviceIn);

    internal static bool HasDeviceIn(Microsoft.Data.Sqlite.SqliteConnection db) =>
        db.Scalar<long>("SELECT 1 FROM facts WHERE name = 'device'") == 1;

    /// <summary>Whether this is a copy of a profile that went on, so that its numbers are used twice: the next login
    /// here makes a new device.</summary>
    /// <remarks>docs/e2e.md, Order.</remarks>
    public bool IsCopied => Fact(CopiedFact) is not null;

    /// <summary>The keys of the device, sealed.</summary>
    internal byte[]? SealedDevice => Fact("device");

    /// <summary>How often the password was stretched at the last login here; 0 before the first. It never goes down.
    /// </summary>
    internal uint IterationsPinned => KdfPinned?.Iterations ?? 0;

    /// <summary>How the password was stretched at the last login here; null before the first.</summary>
    internal KdfParameters? KdfPinned => Fact("kdf") is not null ? Kdf() : Signed?.Kdf;

    /// <summary>Nodes met before, and addresses that they named.</summary>
    internal IReadOnlyList<KnownNode> KnownNodes =>
        Fact("nodes") is { } list ? KnownNode.ReadAll(Encoding.UTF8.GetString(list)) : [];

    internal LocalStore Store { get; }

    /// <summary>What a node gave last to be shown when asking about people, in the clear; perhaps it has expired. It
    /// opens nothing of the user's own.</summary>
    internal byte[]? Pass
    {
        get => Fact(PassFact);
        set => Store.Write(db => PutFact(db, PassFact, value!));
    }

    /// <summary>Whether messages of people to whom this user never wrote wait until they are accepted, as they do
    /// unless somebody says otherwise.</summary>
    public bool RequestsWait
    {
        get => Store.Read(RequestTable.AreOn);
        set => Store.Write(db => RequestTable.Switch(db, value));
    }

    /// <summary>A registration that was begun here and whose outcome is not known; null when there is none.</summary>
    internal UnfinishedRegistration? Unfinished =>
        Fact(UnfinishedFact) is { } bytes ? Whole(() => UnfinishedRegistration.FromBytes(bytes)) : null;

    /// <summary>The last entry that was signed here for a new device; null for none.</summary>
    internal SignedEntry.Record? Signed =>
        Fact(SignedFact) is { } bytes ? Whole(() => SignedEntry.Record.FromBytes(bytes)) : null;

    /// <summary>Where a user's profile lies unless somebody says otherwise: <c>~/.chordchat/USER</c>.</summary>
    /// <exception cref="ChordChatException">This user of the machine has no home folder.</exception>
    public static string DefaultFolder(string user)
    {
        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        return Path.IsPathFullyQualified(home) && Directory.Exists(home)
            ? Path.Combine(home, ".chordchat", user)
            : throw new ChordChatException(
                "no_home", "there is no home folder to keep keys in (HOME is not set, or is not a folder)",
                "name a folder with --profile, or set HOME");
    }

    /// <summary>Opens the profile, creating the folder (readable by its owner only) when it is not there.</summary>
    /// <exception cref="ChordChatException"><c>unsafe_profile</c>, <c>profile_damaged</c>, <c>profile_not_writable</c>.
    /// </exception>
    public static Profile Open(string folder)
    {
        var store = ProfileFolder.OpenStore(folder);
        try
        {
            return Whole(() => new Profile(folder, store));
        }
        catch
        {
            store.Dispose();
            throw;
        }
    }

    /// <summary>Reads what the disk may have damaged.</summary>
    private static T Whole<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception cause) when (cause is CryptographicException or ArgumentException or EndOfStreamException
            or FormatException or OverflowException or InvalidCastException)
        {
            throw new ChordChatException(
                "profile_damaged",
                "a record of this profile cannot be read: the disk damaged it, or somebody changed it",
                ProfileFolder.DamageHint, cause);
        }
    }

    /// <summary>Whether another program holds the session of this folder's profile.</summary>
    public static bool IsInUse(string folder)
    {
        using var lease = new SessionLease(folder);
        return !lease.TryTake();
    }

    /// <summary>Whether this folder is somebody's profile, without making one. What is left of a registration that was
    /// refused is nobody's.</summary>
    public static bool ExistsIn(string folder)
    {
        if (!File.Exists(Path.Combine(folder, ProfileFolder.FileName)))
            return false;
        try
        {
            using var profile = Open(folder);
            return profile.User is not null;
        }
        catch (ChordChatException)
        {
            return true; // Damaged; who opens it for use says so.
        }
    }

    /// <summary>Opens the sealed part. Costs the password's stretching, about 0.3 s.</summary>
    /// <exception cref="ChordChatException"><c>wrong_password</c>, or <c>not_logged_in</c> when nothing is here.
    /// </exception>
    public UnlockedProfile Unlock(string password)
    {
        if (User is not { } user || Cluster is not { } cluster || Fact("profile-key") is not { } record)
            throw new ChordChatException(
                "not_logged_in", $"nobody is logged in with the profile {Folder}",
                "register with 'chordchat register NAME' or log in with 'chordchat login NAME'");
        using var keys = PasswordKeys.Derive(cluster, user, password, Kdf()) ?? throw Failures.WrongPassword(user);
        using var outer = keys.ToLocalKey();
        var inner = outer.Open("profile-key", record) ?? throw Failures.WrongPassword(user);
        var key = LocalKey.FromBytes(inner);
        Array.Clear(inner);
        var sealedDevice = SealedDevice;
        var device = sealedDevice is null ? null : Device.Parse(cluster, user, key.OpenRecord("device", sealedDevice));
        return new UnlockedProfile(this, cluster, user, key, device, sealedDevice);
    }

    /// <summary>Writes what a registration made, all of it or nothing.</summary>
    internal UnlockedProfile Save(Device device, KdfParameters kdf, PasswordKeys keys, ClusterTrust trust)
    {
        var (key, profileKey) = KeyFor(keys);
        var record = key.Seal("device", device.Write());
        Store.Write(db =>
        {
            Put(db, device, record, kdf, profileKey, trust);
            PutFact(db, OwnLogFact, SignedEntry.WriteLog(device.Log));
        });
        return new UnlockedProfile(this, device.Cluster, device.User, key, device, record);
    }

    /// <summary>Keeps an entry that was just signed before anybody sees it, in place of the one before, and the log
    /// that it stands on.</summary>
    internal SignedEntry.Record Sign(
        SignedEntry signed, KeyLog below, KdfParameters kdf, LocalKey key, byte[] profileKey)
    {
        var record = signed.Seal(kdf, key, profileKey);
        Store.Write(db =>
        {
            PutFact(db, SignedFact, record.ToBytes());
            PutFact(db, OwnLogFact, SignedEntry.WriteLog(below));
        });
        return record;
    }

    /// <summary>The device whose entry was signed here is the user's device now.</summary>
    internal UnlockedProfile Adopt(SignedEntry.Record record, SignedEntry signed, LocalKey key)
    {
        var device = signed.Device!;
        var kept = (signed with { Device = null }).Seal(record.Kdf, key, record.ProfileKey);
        var sealedDevice = key.Seal("device", device.Write());
        Store.Write(db =>
        {
            Put(db, device, sealedDevice, record.Kdf, record.ProfileKey, Trust);
            PutFact(db, SignedFact, kept.ToBytes());
        });
        return new UnlockedProfile(this, device.Cluster, device.User, key, device, sealedDevice);
    }

    /// <summary>As the other, when the newest log of the user ends with the entry that was signed here.</summary>
    /// <returns>Whether it does; otherwise another device has taken over.</returns>
    internal bool TryAdopt(KeyLog newest, LocalKey key)
    {
        try
        {
            if (Signed is not { } record || record.Open(key) is not { Device: { } device } signed)
                return false;
            using (device)
                if (newest.Head.Hash != signed.Entry.Hash)
                    return false;
                else
                    Adopt(record, signed, key);
            return true;
        }
        catch (ChordChatException cause) when (cause.Code == "profile_damaged")
        {
            return false;
        }
    }

    /// <summary>The user's own key log as nodes have shown it here; none shorter is believed.</summary>
    internal KeyLog? OwnLog(ClusterId cluster, string user, LocalKey key)
    {
        if (Fact(OwnLogFact) is { } bytes)
            return SignedEntry.ReadLog(cluster, user, bytes);
        if (Fact("device") is not { } record) // As older programs left it.
            return null;
        using var device = Device.Parse(cluster, user, key.OpenRecord("device", record));
        return device.Log;
    }

    internal void RememberOwnLog(KeyLog log) =>
        Store.Write(db => PutFact(db, OwnLogFact, SignedEntry.WriteLog(log)));

    /// <summary>The key of this profile's records, and how it is kept, sealed under the password. A new one if nothing
    /// was sealed here before.</summary>
    /// <exception cref="ChordChatException"><c>other_password</c>.</exception>
    internal (LocalKey Key, byte[] Sealed) KeyFor(PasswordKeys keys)
    {
        using var outer = keys.ToLocalKey();
        var record = Fact("profile-key") ?? Signed?.ProfileKey;
        var inner = record is null
            ? RandomNumberGenerator.GetBytes(LocalKey.Bytes)
            : outer.Open("profile-key", record) ?? throw new ChordChatException(
                "other_password", $"the history in {Folder} is sealed under another password",
                "log in with another --profile folder, or move this one away");
        var key = LocalKey.FromBytes(inner);
        record ??= outer.Seal("profile-key", inner);
        Array.Clear(inner);
        return (key, record);
    }

    private static void Put(
        Microsoft.Data.Sqlite.SqliteConnection db, Device device, byte[] record, KdfParameters kdf, byte[] profileKey,
        ClusterTrust trust)
    {
        var kdfBytes = new byte[4 + KdfParameters.SaltBytes];
        BinaryPrimitives.WriteUInt32BigEndian(kdfBytes, kdf.Iterations);
        kdf.ToSaltBytes().CopyTo(kdfBytes, 4);
        PutFact(db, "user", Encoding.UTF8.GetBytes(device.User));
        PutFact(db, "cluster", device.Cluster.ToBytes());
        PutFact(db, "authority", trust.Authority!);
        PutFact(db, "kdf", kdfBytes);
        PutFact(db, "profile-key", profileKey);
        PutFact(db, "device", record);
        var before = db.Scalar<byte[]>("SELECT value FROM facts WHERE name = $1", EpochFact) is { Length: 4 } epoch
            ? BitConverter.ToUInt32(epoch)
            : (uint?)null;
        if (device.Epoch > 1
            && (before is null || device.Epoch - before > 1
                || db.Scalar<long>("SELECT 1 FROM facts WHERE name = $1", CopiedFact) == 1))
            ChainTable.HasBeenAway(db);
        if (before is not null && before != device.Epoch)
            RemoveFact(db, HelloFact); // Hellos of other keys: nobody compares them with those of these.
        PutFact(db, EpochFact, BitConverter.GetBytes(device.Epoch));
        RemoveFact(db, UnfinishedFact);
        if (db.Execute("DELETE FROM facts WHERE name = $1", CopiedFact) > 0)
            PutFact(db, RenewedFact, BitConverter.GetBytes(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds()));
        RequestTable.ForgetCircle(db);
    }

    internal void RememberNodes(IReadOnlyList<KnownNode> nodes)
    {
        if (!nodes.SequenceEqual(KnownNodes))
            Store.Write(db => PutFact(db, "nodes", Encoding.UTF8.GetBytes(KnownNode.WriteAll(nodes))));
    }

    /// <summary>Forgets the keys of one device, not the history: docs/e2e.md, New device.</summary>
    /// <param name="record">Its keys, sealed. If others stand here, somebody has logged in anew.</param>
    /// <param name="newest">The newest log of the user, as nodes show it; none shorter is believed at the next
    /// login. Null if nothing is known.</param>
    /// <returns>How many messages this leaves unsent; null if other keys stand here, and nothing changed.</returns>
    internal int? ForgetDevice(byte[]? record, KeyLog? newest) => Store.Write<int?>(db =>
    {
        if (db.Scalar<byte[]>("SELECT value FROM facts WHERE name = 'device'") is { } there
            && !there.AsSpan().SequenceEqual(record))
            return null;
        RemoveFact(db, "device");
        if (newest is not null)
            PutFact(db, OwnLogFact, SignedEntry.WriteLog(newest));
        RemoveFact(db, PassFact);
        return Outbox.Leave(db);
    });

    /// <summary>The time of the next hello: now, but later than all that this profile has made.</summary>
    /// <remarks>docs/e2e.md, Session.</remarks>
    /// <returns>Unix time in ms. It is on disk before anybody sees it.</returns>
    internal long NextHelloMs() => Store.Write(db =>
    {
        var next = Math.Max(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(), LastHelloMs(db) + 1);
        PutFact(db, HelloFact, BitConverter.GetBytes(next));
        return next;
    });

    /// <summary>A copy of this profile has made a hello: the next one here is later, so that the same one ends no
    /// session here again.</summary>
    /// <param name="timeMs">Of the copy's hello; the part past <see cref="HelloMsMax"/> does not count.</param>
    internal void CopyHasMadeHello(ulong timeMs) => Store.Write(db =>
        PutFact(db, HelloFact, BitConverter.GetBytes(
            Math.Max((long)Math.Min(timeMs, (ulong)HelloMsMax), LastHelloMs(db)))));

    /// <summary>A contact says that this profile is a copy.</summary>
    /// <returns>Whether it is to become a new device; not if it did so for the same reason a short time ago, for
    /// anybody can say that.</returns>
    internal static bool MarkCopied(Microsoft.Data.Sqlite.SqliteConnection db, long nowMs)
    {
        if (db.Scalar<byte[]>("SELECT value FROM facts WHERE name = $1", RenewedFact) is { Length: 8 } before
            && Math.Abs(nowMs - BitConverter.ToInt64(before)) < RenewInterval.TotalMilliseconds)
            return false;
        PutFact(db, CopiedFact, [1]);
        return true;
    }

    /// <summary>Keeps what a registration needs to be finished another time, before it is handed in.</summary>
    internal void Begin(UnfinishedRegistration registration) =>
        Store.Write(db => PutFact(db, UnfinishedFact, registration.ToBytes()));

    /// <summary>It is known that the registration did not and will not take effect.</summary>
    internal void ForgetUnfinished() => Store.Write(db => RemoveFact(db, UnfinishedFact));

    public void Dispose() => Store.Dispose();

    private KdfParameters Kdf()
    {
        var bytes = Fact("kdf") ?? [];
        return Whole(() => KdfParameters.FromBytes(BinaryPrimitives.ReadUInt32BigEndian(bytes), bytes.AsSpan(4)));
    }

    private static long LastHelloMs(Microsoft.Data.Sqlite.SqliteConnection db) =>
        db.Scalar<byte[]>("SELECT value FROM facts WHERE name = $1", HelloFact) is { Length: 8 } before
            ? BitConverter.ToInt64(before)
            : 0;

    private byte[]? Fact(string name) =>
        Store.Read(db => db.Scalar<byte[]>("SELECT value FROM facts WHERE name = $1", name));

    private static void RemoveFact(Microsoft.Data.Sqlite.SqliteConnection db, string name) =>
        db.Execute("DELETE FROM facts WHERE name = $1", name);

    private static void PutFact(Microsoft.Data.Sqlite.SqliteConnection db, string name, byte[] value) => db.Execute(
        "INSERT INTO facts (name, value) VALUES ($1, $2) ON CONFLICT DO UPDATE SET value = excluded.value",
        name, value);
}
