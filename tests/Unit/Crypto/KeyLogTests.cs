using ChordChat.Crypto.KeyLogs;
using ChordChat.Crypto.Keys;
using ChordChat.Crypto.Passwords;
using Xunit;
using static ChordChat.Tests.Unit.Crypto.TestUsers;

namespace ChordChat.Tests.Unit.Crypto;

/// <summary>docs/e2e.md, Key log: what may follow what.</summary>
public class KeyLogTests
{
    private static readonly KeyLogEntry Second =
        KeyLogEntryBuilder.NewDevice(AliceEntry, Now + 1, AliceIdentity, Alice2, default, Kdf);

    private static readonly KeyLogEntry Rotation =
        KeyLogEntryBuilder.RotateIdentity(AliceEntry, Now + 1, AliceIdentity, BobIdentity, Alice2, default, Kdf);

    [Fact]
    public void A_log_of_all_types_verifies_and_finds_its_entries()
    {
        var lost = KeyLogEntryBuilder.NewDevice(Second, Now, AliceIdentity, Bob1, default, Kdf, afterLoss: true);
        var rotated = KeyLogEntryBuilder.RotateIdentity(lost, Now + 9, AliceIdentity, BobIdentity, Bob2, default, Kdf);

        var log = LogOf(AliceEntry, Second, lost, rotated);

        Assert.Equal([1u, 2u, 3u, 4u], log.Entries.Select(e => e.Epoch));
        Assert.Equal(KeyLogEntryType.NewDeviceAfterLoss, log.AtEpoch(3)!.Type);
        Assert.Equal(Now + 1, log.AtEpoch(3)!.TimeMs); // A clock that went back is held, not refused.
        Assert.Same(log.Entries[1], log.Find(Second.Hash));
        Assert.Null(log.AtEpoch(0));
        Assert.Null(log.AtEpoch(5));
        Assert.Null(log.Find(default));
    }

    [Fact]
    public void Appending_gives_the_longer_log()
    {
        Assert.Equal(Second.Hash, AliceLog.Append(Second.Bytes.Span)!.Head.Hash);
        Assert.Null(AliceLog.Append(AliceEntry.Bytes.Span));
    }

    [Fact]
    public void A_log_of_another_user_or_cluster_or_of_nothing_is_refused()
    {
        var bytes = AliceEntry.Bytes.ToArray();

        Assert.Null(KeyLog.Verify(Cluster, "bob", [bytes]));
        Assert.Null(KeyLog.Verify(OtherCluster, "alice", [bytes]));
        Assert.Null(KeyLog.Verify(Cluster, "alice", []));
    }

    [Fact]
    public void A_bit_flipped_at_any_byte_is_refused()
    {
        Assert.All(Damage.BitFlips(AliceEntry.Bytes), damaged => Assert.Null(Next(null, damaged)));
        Assert.All(
            Damage.BitFlips(Rotation.Bytes).Skip(Rotation.Body.Length),
            damaged => Assert.Null(Next(AliceEntry, damaged)));
    }

    [Fact]
    public void A_truncation_at_any_length_and_a_trailing_byte_are_refused()
    {
        Assert.All(Damage.Truncations(AliceEntry.Bytes), damaged => Assert.Null(Next(null, damaged)));
        Assert.Null(Next(null, [.. AliceEntry.Bytes.Span, 0]));
    }

    [Theory]
    [InlineData(1u)]
    [InlineData(599_999u)]
    [InlineData(10_000_001u)]
    [InlineData(1_000_000_000u)]
    [InlineData(uint.MaxValue)]
    public void Iterations_outside_floor_and_cap_are_refused(uint iterations) =>
        Assert.Null(First(AliceEntry.F with { Kdf = new KdfParameters(iterations, 1) }));

    [Fact]
    public void A_first_entry_is_of_type_create_with_nothing_before_it()
    {
        Assert.NotNull(First(AliceEntry.F));
        Assert.Null(First(AliceEntry.F with { Type = KeyLogEntryType.NewDevice }));
        Assert.Null(First(AliceEntry.F with { Seq = 1 }));
        Assert.Null(First(AliceEntry.F with { Epoch = 2 }));
        Assert.Null(First(AliceEntry.F with { Previous = AliceEntry.Hash }));
        Assert.Null(First(AliceEntry.F with { Type = 0 }));
        Assert.Null(First(AliceEntry.F with { Type = (KeyLogEntryType)5 }));
    }

    [Fact]
    public void A_first_entry_never_comes_twice() => Assert.Null(Next(AliceEntry, AliceEntry.Bytes.ToArray()));

    [Fact]
    public void A_next_entry_names_the_one_before_and_counts_on()
    {
        Assert.NotNull(After(Second.F));
        Assert.Null(After(Second.F with { Type = KeyLogEntryType.Create }));
        Assert.Null(After(Second.F with { Seq = 2 }));
        Assert.Null(After(Second.F with { Seq = 0 }));
        Assert.Null(After(Second.F with { Epoch = 1 }));
        Assert.Null(After(Second.F with { Epoch = 3 }));
        Assert.Null(After(Second.F with { Previous = default }));
        Assert.Null(After(Second.F with { TimeMs = AliceEntry.TimeMs - 1 }));
    }

    [Fact]
    public void A_next_entry_has_new_device_keys()
    {
        Assert.Null(After(Second.F with { Encryption = AliceEntry.F.Encryption }));
        Assert.Null(After(Second.F with { Device = AliceEntry.F.Device }));
    }

    [Fact]
    public void Features_are_never_taken_back()
    {
        var point = Bob2.Signing.PublicPoint.ToArray();
        var able = KeyLogEntryBuilder.Sign(
            AliceEntry.F with { Features = 1, DiffieHellman = point }, AliceIdentity, null);
        var next = Second.F with { Previous = able.Hash };

        Assert.NotNull(Next(able, Signed(next with { Features = 1, DiffieHellman = point })));
        Assert.Null(Next(able, Signed(next)));
    }

    [Fact]
    public void The_diffie_hellman_key_is_there_exactly_when_the_features_say_so()
    {
        var point = Bob2.Signing.PublicPoint.ToArray();

        Assert.Null(First(AliceEntry.F with { DiffieHellman = point }));
        Assert.Null(First(AliceEntry.F with { Features = 1 }));
    }

    [Fact]
    public void A_substituted_identity_is_refused()
    {
        var forged = Second.F with { Identity = BobIdentity.PublicModulus.ToArray() };

        Assert.Null(Next(AliceEntry, KeyLogEntryBuilder.SignedBytes(forged, BobIdentity, null)));
        Assert.Null(Next(AliceEntry, KeyLogEntryBuilder.SignedBytes(forged, AliceIdentity, null)));
        Assert.Null(Next(AliceEntry, KeyLogEntryBuilder.SignedBytes(Second.F, BobIdentity, null)));
    }

    [Fact]
    public void A_rotation_is_signed_by_both_identities()
    {
        Assert.NotNull(Next(AliceEntry, KeyLogEntryBuilder.SignedBytes(Rotation.F, BobIdentity, AliceIdentity)));
        Assert.Null(Next(AliceEntry, KeyLogEntryBuilder.SignedBytes(Rotation.F, BobIdentity, null)));
        Assert.Null(Next(AliceEntry, KeyLogEntryBuilder.SignedBytes(Rotation.F, BobIdentity, BobIdentity)));
        Assert.Null(Next(AliceEntry, KeyLogEntryBuilder.SignedBytes(Rotation.F, AliceIdentity, AliceIdentity)));
    }

    [Fact]
    public void Only_a_rotation_has_a_second_signature_and_a_new_identity()
    {
        var same = Rotation.F with { Identity = AliceIdentity.PublicModulus.ToArray() };

        Assert.Null(Next(AliceEntry, KeyLogEntryBuilder.SignedBytes(Second.F, AliceIdentity, AliceIdentity)));
        Assert.Null(Next(AliceEntry, KeyLogEntryBuilder.SignedBytes(same, AliceIdentity, AliceIdentity)));
    }

    [Fact]
    public void Points_off_the_curve_and_impossible_moduli_are_refused()
    {
        byte[] off = [4, .. new byte[64]], even = [.. AliceEntry.F.Encryption];
        even[^1] &= 0xFE;

        Assert.Null(First(AliceEntry.F with { Device = off }));
        Assert.Null(First(AliceEntry.F with { Encryption = even }));
        Assert.Null(DevicePublicKey.TryImport(off));
        Assert.Null(EncryptionPublicKey.TryImport(new byte[384]));
        Assert.Null(IdentityPublicKey.TryImport(new byte[383]));
    }

    private static KeyLogEntry? First(KeyLogEntry.Fields fields) => Next(null, Signed(fields));

    private static KeyLogEntry? After(KeyLogEntry.Fields fields) => Next(AliceEntry, Signed(fields));

    private static byte[] Signed(KeyLogEntry.Fields fields) =>
        KeyLogEntryBuilder.SignedBytes(fields, AliceIdentity, null);

    private static KeyLogEntry? Next(KeyLogEntry? previous, byte[] bytes) =>
        KeyLog.VerifyNext(Cluster, "alice", previous, bytes);
}
