using ChordChat.Core.Chat;
using ChordChat.Node.Tiles;

namespace ChordChat.Node.Chat;

/// <summary>Gives sessions their numbers: of two sessions of a user the one with the smaller number is over.</summary>
internal sealed class SessionNumbers(
    ChatIdentity identity, IRegisters registers, IRegisterGlimpses glimpses, ChatClock clock)
{
    private const int TryCount = 3;

    /// <summary>The next number for this user's session, as a majority agrees; without one, the last known.</summary>
    public async Task<SessionNumber> NextAsync(
        string user, uint epoch, UInt128 device, CancellationToken cancellation)
    {
        var (key, now) = (RegisterKey.Session(user), clock.Unix);
        for (var i = 0; i < TryCount; i++)
            switch (await registers.ChangeAsync(
                key, current => SessionRecord.Open(current, identity.Self.Node, epoch, device, now), cancellation))
            {
                case ChangeOutcome.Stored(var value):
                    return new SessionNumber.Agreed(SessionRecord.FromBytes(value));
                case ChangeOutcome.Declined:
                    return new SessionNumber.None();
                case ChangeOutcome.Unavailable:
                    return await LastAsync(user, epoch, device, now, cancellation);
            }

        return new SessionNumber.None();
    }

    private async Task<SessionNumber> LastAsync(
        string user, uint epoch, UInt128 device, long now, CancellationToken cancellation)
    {
        var last = await glimpses.GlimpseAsync(RegisterKey.Session(user), cancellation) switch
        {
            Glimpse.Agreed(var value) => value,
            Glimpse.Unproven({ } newest, _, _) => newest.Shown,
            _ => default,
        };
        var record = last.IsEmpty ? null : SessionRecord.FromBytes(last);
        return record?.Epoch > epoch
            ? new SessionNumber.None()
            : new SessionNumber.Last(new(record?.Number ?? 0, identity.Self.Node, epoch, device, now, IsOpen: true));
    }
}

internal abstract record SessionNumber
{
    private SessionNumber() { }

    /// <summary>A majority has it on disk.</summary>
    public sealed record Agreed(SessionRecord Record) : SessionNumber;

    /// <summary>That of the session before, as some copy remembers it: for a degraded session.</summary>
    public sealed record Last(SessionRecord Record) : SessionNumber;

    /// <summary>A device with newer keys seems to have had a session, or nobody can tell.</summary>
    public sealed record None : SessionNumber;
}
