using System.Net;
using ChordChat.Core.Chat;
using ChordChat.Node.Base;

namespace ChordChat.Node.Chat;

/// <summary>Who may register here, how many from one place, and how many at once: an account stays for ever, and
/// whoever registers must not keep others from logging in. Safe for threads.</summary>
internal sealed class RegistrationDoor(ChatOptions options, ChatClock clock)
{
    private readonly Lock _turn = new();
    private readonly AddressThrottle _places = new(options.RegistrationsPerAddressMax);
    private int _inside;

    /// <returns>How long to wait first; zero to go on, and then <see cref="Leave"/> has to follow.</returns>
    /// <param name="address">This machine itself is not counted.</param>
    public TimeSpan TryEnter(IPAddress? address)
    {
        var isOwn = address is not null && IPAddress.IsLoopback(address);
        var place = AddressBlock.OfSite(address);
        lock (_turn)
        {
            if (!isOwn && _places.Wait(place, clock.Steady) is { Ticks: > 0 } wait)
                return wait;
            if (_inside >= options.RegistrationQueueMax)
                return TimeSpan.FromSeconds(1);
            _inside++;
            if (!isOwn)
                _places.Failed(place, clock.Steady);
            return TimeSpan.Zero;
        }
    }

    public void Leave()
    {
        lock (_turn)
            _inside--;
    }
}

/// <summary>Whether people can make accounts.</summary>
public enum RegistrationRule
{
    /// <summary>Everybody who reaches a node.</summary>
    Open,

    /// <summary>Who has a code of the operator's.</summary>
    Invitation,

    /// <summary>Nobody; those who have an account go on.</summary>
    Closed,
}
