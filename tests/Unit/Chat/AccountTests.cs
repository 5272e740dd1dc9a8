using ChordChat.Core.Chat;
using Xunit;

namespace ChordChat.Tests.Unit.Chat;

public sealed class AccountTests
{
    private static readonly Account Anna = new(
        "anna", 7, "$2b$12$credential", 1, new KeyLogHead(0, 1, new byte[] { 1, 2, 3 }), new byte[] { 4, 5 },
        default, 1_700_000_000_000);

    private const long Now = 1_800_000_000_000;

    [Fact]
    public void A_record_of_an_older_program_is_read_as_of_somebody_who_had_no_new_devices_lately()
    {
        var bytes = (Anna with { Pace = new(3, Now) }).ToBytes()[..^12].ToArray();
        bytes[4] = 1; // The version before there was a pace.

        Assert.Equal(Anna.ToBytes().ToArray(), Account.FromBytes(bytes).ToBytes().ToArray());
    }

    [Fact]
    public void A_key_log_grows_only_so_fast_and_so_far()
    {
        var next = new KeyLogHead(1, 2, new byte[] { 7 });
        var busy = Anna with { Pace = new(KeyLogPace.AtOnceMax, Now) };
        var long_ = Anna with { Head = Anna.Head with { Number = KeyLogPace.EntriesMax - 1 } };

        Assert.Null(Account.PublishKeys(busy.ToBytes(), next, default, Now, (_, _) => true));
        Assert.NotNull(Account.PublishKeys(
            busy.ToBytes(), next, default, Now + (long)KeyLogPace.Each.TotalMilliseconds, (_, _) => true));
        Assert.Null(Account.PublishKeys(
            long_.ToBytes(), next with { Number = KeyLogPace.EntriesMax }, default, Now, (_, _) => true));
    }

    [Fact]
    public void What_is_written_is_read_back()
    {
        var read = Account.FromBytes((Anna with { PreviousKeyring = new byte[] { 9 }, Pace = new(3, Now) }).ToBytes());

        Assert.Equal(("anna", (UInt128)7, "$2b$12$credential", 1ul, 1_700_000_000_000L),
            (read.User, read.CreatedBy, read.Credential, read.Version, read.CreatedAtMs));
        Assert.Equal(new KeyLogPace(3, Now), read.Pace);
        Assert.Equal((0ul, 1u), (read.Head.Number, read.Head.Epoch));
        Assert.Equal(new byte[] { 1, 2, 3 }, read.Head.Entry.ToArray());
        Assert.Equal(new byte[] { 4, 5 }, read.Keyring.ToArray());
        Assert.Equal(new byte[] { 9 }, read.PreviousKeyring.ToArray());
    }

    [Fact]
    public void A_record_cut_off_anywhere_or_with_a_byte_too_many_is_damaged()
    {
        var bytes = Anna.ToBytes();
        for (var length = 0; length < bytes.Length; length++)
            Assert.Throws<InvalidDataException>(() => Account.FromBytes(bytes[..length]));
        Assert.Throws<InvalidDataException>(() => Account.FromBytes(new byte[bytes.Length + 1]));
        Assert.Throws<InvalidDataException>(() => Account.FromBytes((byte[])[.. bytes.Span, 0]));
    }

    [Fact]
    public void A_record_of_a_later_version_is_refused_with_both_numbers()
    {
        var bytes = Anna.ToBytes().ToArray();
        bytes[4] = 9;
        Assert.Contains("version 9", Assert.Throws<InvalidDataException>(() => Account.FromBytes(bytes)).Message);
    }

    [Fact]
    public void The_first_registration_wins_and_its_repetition_succeeds()
    {
        var stored = Account.Register(default, Anna);

        Assert.NotNull(stored);
        Assert.Null(Account.Register(stored.Value, Anna with { CreatedBy = 8 }));
        Assert.True(Account.IsCreatedBy(stored.Value, 7));
        Assert.False(Account.IsCreatedBy(stored.Value, 8));
        Assert.False(Account.IsCreatedBy(default, 7));
    }

    [Fact]
    public void New_keys_go_on_top_of_the_entry_that_they_follow()
    {
        var next = new KeyLogHead(1, 2, new byte[] { 7 });

        var stored = Account.PublishKeys(Anna.ToBytes(), next, new byte[] { 8 }, Now, (_, _) => true);

        var read = Account.FromBytes(stored!.Value);
        Assert.Equal(new KeyLogPace(1, Now), read.Pace);
        Assert.Equal((2ul, 1ul, 2u), (read.Version, read.Head.Number, read.Head.Epoch));
        Assert.Equal(new byte[] { 8 }, read.Keyring.ToArray());
        Assert.Equal(new byte[] { 4, 5 }, read.PreviousKeyring.ToArray());
        Assert.True(Account.HasHead(stored.Value, next));
        Assert.Equal("$2b$12$credential", read.Credential);
    }

    [Fact]
    public void Keys_that_do_not_follow_change_nothing()
    {
        Assert.Null(Account.PublishKeys(default, Anna.Head, default, Now, (_, _) => true));
        Assert.Null(Account.PublishKeys(Anna.ToBytes(), Anna.Head with { Number = 2 }, default, Now, (_, _) => true));
        Assert.Null(Account.PublishKeys(Anna.ToBytes(), Anna.Head with { Number = 1 }, default, Now, (_, _) => false));
    }
}
