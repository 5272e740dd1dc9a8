using ChordChat.Crypto.KeyLogs;
using Xunit;
using static ChordChat.Tests.Unit.Crypto.TestUsers;

namespace ChordChat.Tests.Unit.Crypto;

/// <summary>docs/e2e.md, Pins: what a client makes of a contact's log.</summary>
public class PinTests
{
    private static readonly KeyLogEntry Second =
        KeyLogEntryBuilder.NewDevice(AliceEntry, Now + 1, AliceIdentity, Alice2, default, Kdf);

    private static readonly KeyLogEntry Rotation =
        KeyLogEntryBuilder.RotateIdentity(Second, Now + 2, AliceIdentity, BobIdentity, Bob1, default, Kdf);

    private static readonly KeyLog One = LogOf(AliceEntry);
    private static readonly KeyLog Two = LogOf(AliceEntry, Second);
    private static readonly KeyLog Three = LogOf(AliceEntry, Second, Rotation);

    private static readonly Pin First = Pin.FirstSight(One);

    [Fact]
    public void A_contact_is_new_until_the_safety_number_was_compared()
    {
        Assert.Equal(PinState.New, First.State);
        Assert.True(First.MaySend);
        Assert.Equal(PinState.Verified, First.AsVerified().State);
        Assert.Same(First, First.Follow(One));
    }

    [Fact]
    public void A_new_device_is_a_small_notice_and_keeps_the_verified_mark()
    {
        var pin = First.AsVerified().Follow(Two)!;

        Assert.Equal((PinState.DeviceChanged, true, true), (pin.State, pin.Verified, pin.MaySend));
        Assert.Equal(PinState.Verified, pin.AsSeen().State);
        Assert.Equal(PinState.New, First.Follow(Two)!.AsSeen().State);
    }

    [Fact]
    public void A_rotated_identity_takes_the_mark_away_and_sending_asks_once()
    {
        var pin = First.AsVerified().Follow(Three)!;

        Assert.Equal((PinState.IdentityRotated, false, false), (pin.State, pin.Verified, pin.MaySend));
        Assert.False(pin.AsSeen().MaySend); // To read a notice is not to agree.
        Assert.Equal((PinState.New, true), (pin.AsAccepted().State, pin.AsAccepted().MaySend));
    }

    [Fact]
    public void A_rotation_is_not_forgotten_when_a_new_device_follows()
    {
        var next = KeyLogEntryBuilder.NewDevice(Rotation, Now + 3, BobIdentity, Bob2, default, Kdf);

        var pin = First.Follow(Three)!.Follow(LogOf(AliceEntry, Second, Rotation, next))!;

        Assert.Equal(PinState.IdentityRotated, pin.State);
    }

    [Fact]
    public void A_log_older_than_the_pin_changes_nothing() => Assert.Null(First.Follow(Two)!.Follow(One));

    [Fact]
    public void A_log_that_does_not_extend_the_pin_is_a_conflict_for_good()
    {
        var other = KeyLogEntryBuilder.NewDevice(AliceEntry, Now + 5, AliceIdentity, Bob2, default, Kdf);

        var pin = First.Follow(Two)!.Follow(LogOf(AliceEntry, other))!;

        Assert.Equal((PinState.Conflict, false), (pin.State, pin.MaySend));
        Assert.Equal(Second.Hash, pin.Entry); // What was pinned stays, as evidence.
        Assert.Equal(PinState.Conflict, pin.Follow(Two)!.State);
        Assert.Equal(PinState.Conflict, pin.AsVerified().State);
        Assert.Equal(PinState.Conflict, pin.AsSeen().State);
    }

    [Fact]
    public void Another_account_under_the_same_name_accuses_only_the_node_that_shows_it()
    {
        var swapped = LogOf(KeyLogEntryBuilder.Create(Cluster, "alice", Now, BobIdentity, Bob1, default, Kdf));

        Assert.True(First.IsStranger(swapped));
        Assert.Null(First.Follow(swapped));
        Assert.Null(First.Follow(BobLog));
        Assert.False(First.IsStranger(Three));
    }

    [Fact]
    public void A_second_first_entry_of_the_pinned_identity_is_a_conflict()
    {
        var twin = KeyLogEntryBuilder.Create(Cluster, "alice", Now, AliceIdentity, Alice2, default, Kdf);

        Assert.False(First.IsStranger(LogOf(twin)));
        Assert.Equal(PinState.Conflict, First.Follow(LogOf(twin))!.State);
    }

    [Fact]
    public void What_a_retired_identity_signs_after_its_rotation_accuses_nobody()
    {
        var other = KeyLogEntryBuilder.NewDevice(Second, Now + 3, AliceIdentity, Bob2, default, Kdf);

        Assert.Null(First.Follow(Three)!.Follow(LogOf(AliceEntry, Second, other)));
    }
}
