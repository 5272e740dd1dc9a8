using ChordChat.Crypto;
using ChordChat.Crypto.KeyLogs;
using ChordChat.Crypto.Keyrings;
using ChordChat.Crypto.Keys;
using ChordChat.Crypto.Passwords;
using Xunit;
using static ChordChat.Tests.Unit.Crypto.TestUsers;

namespace ChordChat.Tests.Unit.Crypto;

/// <summary>docs/e2e.md, Keyring: what a node keeps and must not be able to read, change or swap.</summary>
public class KeyringTests
{
    private static readonly PasswordKeys Keys = PasswordKeys.Derive(Cluster, "alice", "right", Kdf)!;
    private static readonly PasswordKeys WrongKeys = PasswordKeys.Derive(Cluster, "alice", "wrong", Kdf)!;
    private static readonly Keyring Ring = Keyring.Create(AliceIdentity, Alice1);
    private static readonly byte[] Blob = KeyringBlob.Seal(Cluster, "alice", Ring, Keys, Kdf);
    private static readonly KeyLog Log = LogWith(KeyringBlob.HashOf(Blob));

    [Fact]
    public void A_ring_opens_with_its_password_and_matches_its_log()
    {
        using var ring = KeyringBlob.Open(Cluster, "alice", Keys, Blob)!;

        Assert.True(ring.Matches(Log));
        Assert.True(KeyringBlob.IsThatOf(Log, Blob));
        Assert.Equal(1ul, ring.RingSeq);
        Assert.Equal(AliceIdentity.PublicModulus.ToArray(), ring.Identity.PublicModulus.ToArray());
        Assert.NotNull(ring.Find(Alice1.Encryption.Id));
        Assert.Null(ring.Find(Bob1.Encryption.Id));
        Assert.Equal(Ring.HistoryKeys[0].Key.ToArray(), ring.HistoryKeys[0].Key.ToArray());
    }

    [Fact]
    public void The_next_ring_keeps_the_old_keys()
    {
        var next = Ring.WithDevice(2, Alice2);
        var blob = KeyringBlob.Seal(Cluster, "alice", next, Keys, Kdf);
        var entry = KeyLogEntryBuilder.NewDevice(AliceEntry, Now, AliceIdentity, Alice2, KeyringBlob.HashOf(blob), Kdf);
        using var ring = KeyringBlob.Open(Cluster, "alice", Keys, blob)!;

        Assert.Equal([1u, 2u], ring.EncryptionKeys.Select(e => e.Epoch));
        Assert.Equal([1u, 2u], ring.HistoryKeys.Select(h => h.Number));
        Assert.Equal(2ul, ring.RingSeq);
        Assert.True(ring.Matches(LogOf(AliceEntry, entry)));
        Assert.Throws<ArgumentOutOfRangeException>(() => next.WithDevice(2, Bob2));
    }

    [Fact]
    public void A_wrong_password_user_or_cluster_gives_the_same_nothing()
    {
        Assert.Null(KeyringBlob.Open(Cluster, "alice", WrongKeys, Blob));
        Assert.Null(KeyringBlob.Open(Cluster, "bob", Keys, Blob));
        Assert.Null(KeyringBlob.Open(OtherCluster, "alice", Keys, Blob));
    }

    [Fact]
    public void A_bit_flipped_at_any_byte_is_refused() =>
        Assert.All(Damage.BitFlips(Blob), damaged => Assert.Null(KeyringBlob.Open(Cluster, "alice", Keys, damaged)));

    [Fact]
    public void A_truncation_at_any_length_and_a_trailing_byte_are_refused()
    {
        Assert.All(Damage.Truncations(Blob), damaged => Assert.Null(KeyringBlob.Open(Cluster, "alice", Keys, damaged)));
        Assert.Null(KeyringBlob.Open(Cluster, "alice", Keys, [.. Blob, 0]));
    }

    [Fact]
    public void An_older_ring_is_not_that_of_the_log()
    {
        var newer = KeyringBlob.HashOf(KeyringBlob.Seal(Cluster, "alice", Ring.WithDevice(2, Alice2), Keys, Kdf));
        var entry = KeyLogEntryBuilder.NewDevice(AliceEntry, Now, AliceIdentity, Alice2, newer, Kdf);
        var log = LogOf(AliceEntry, entry);

        Assert.False(KeyringBlob.IsThatOf(log, Blob));
        Assert.False(Ring.Matches(log));
    }

    [Fact]
    public void A_foreign_key_inside_a_ring_is_noticed()
    {
        Assert.False(Keyring.Create(AliceIdentity, Bob1).Matches(Log));
        Assert.False(Keyring.Create(BobIdentity, Alice1).Matches(Log));
        Assert.False(Ring.WithDevice(2, Bob1).Matches(Log));
    }

    [Fact]
    public void Its_size_tells_only_whole_pages() =>
        Assert.Equal(0, (Blob.Length - (4 + 1 + 16 + 6 + 8 + 4 + 16 + 32 + 4) - 48) % 4_096);

    [Fact]
    public void A_recovery_code_opens_the_second_copy()
    {
        var code = RecoveryCode.New();
        var blob = KeyringBlob.SealForRecovery(Cluster, "alice", Ring, code);
        var typed = RecoveryCode.TryParse(code.ToString().ToLowerInvariant().Replace('-', ' '))!;

        Assert.True(KeyringBlob.Recover(Cluster, "alice", typed, blob)!.Matches(Log));
        Assert.Null(KeyringBlob.Recover(Cluster, "alice", RecoveryCode.New(), blob));
        Assert.Null(KeyringBlob.Recover(Cluster, "bob", code, blob));
        Assert.Null(KeyringBlob.Open(Cluster, "alice", Keys, blob));
        Assert.Null(KeyringBlob.Recover(Cluster, "alice", code, Blob));
    }

    [Theory]
    [InlineData("")]
    [InlineData("AAAA-AAAA-AAAA-AAAA-AAAA-AAAA-AAAA-AAA")]
    [InlineData("AAAA-AAAA-AAAA-AAAA-AAAA-AAAA-AAAA-AAAAA")]
    [InlineData("AAAA-AAAA-AAAA-AAAA-AAAA-AAAA-AAAA-AAA1")]
    public void A_recovery_code_is_32_letters_and_digits(string text) => Assert.Null(RecoveryCode.TryParse(text));

    [Fact]
    public void Settings_open_for_their_user_and_only_as_signed()
    {
        var settings = new SettingsRecord(5, [1, 2, 3]);
        var record = settings.Seal(Cluster, "alice", Ring.HistoryKeys[0], 1, Alice1.Signing);
        var forged = settings.Seal(Cluster, "alice", Ring.HistoryKeys[0], 1, Bob1.Signing);

        var opened = SettingsRecord.Open(Ring, Log, record)!;

        Assert.Equal(5ul, opened.Counter);
        Assert.Equal([1, 2, 3], opened.Plaintext);
        Assert.Null(SettingsRecord.Open(Ring, Log, forged));
        Assert.Null(SettingsRecord.Open(Ring, BobLog, record));
        Assert.Null(SettingsRecord.Open(Keyring.Create(AliceIdentity, Alice1), Log, record));
        Assert.All(Damage.BitFlips(record), damaged => Assert.Null(SettingsRecord.Open(Ring, Log, damaged)));
        Assert.All(Damage.Truncations(record), damaged => Assert.Null(SettingsRecord.Open(Ring, Log, damaged)));
    }

    [Fact]
    public void Local_records_open_under_their_name_and_key_only()
    {
        using var key = Keys.ToLocalKey();
        using var other = LocalKey.New();
        var record = key.Seal("device", [1, 2, 3]);

        Assert.Equal([1, 2, 3], LocalKey.FromBytes(key.Export()).Open("device", record));
        Assert.Null(key.Open("history", record));
        Assert.Null(other.Open("device", record));
        Assert.All(Damage.BitFlips(record), damaged => Assert.Null(key.Open("device", damaged)));
        Assert.All(Damage.Truncations(record), damaged => Assert.Null(key.Open("device", damaged)));
    }

    [Fact]
    public void Device_keys_are_read_back_as_they_were_written()
    {
        var bytes = Alice1.Export();
        using var device = DeviceKeys.TryImport(bytes)!;

        Assert.Equal(Alice1.DeviceId, device.DeviceId);
        Assert.Equal(Alice1.Encryption.Id, device.Encryption.Id);
        Assert.Equal(Alice1.Signing.PublicPoint.ToArray(), device.Signing.PublicPoint.ToArray());
        Assert.All(Damage.Truncations(bytes), damaged => Assert.Null(DeviceKeys.TryImport(damaged)));
    }

    private static KeyLog LogWith(Digest ringHash) =>
        LogOf(KeyLogEntryBuilder.Create(Cluster, "alice", Now, AliceIdentity, Alice1, ringHash, Kdf));
}
