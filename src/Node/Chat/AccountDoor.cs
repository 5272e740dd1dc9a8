using System.Net;
using ChordChat.Core.Chat;
using ChordChat.Node.Hosting;

namespace ChordChat.Node.Chat;

/// <summary>How often strangers may make a node read an account where nothing is guessed: before a login (GetKdf) and
/// after one (PublishKeys). Safe for threads.</summary>
/// <remarks>docs/security.md, "What a call may cost".</remarks>
internal sealed class AccountDoor(ChatOptions options, ChatClock clock)
{
    /// <summary>So many calls of a block in a minute are let in, however many come from other blocks.</summary>
    public const int FewOfBlock = 5;

    private const string All = "all";
    private readonly Lock _turn = new();
    private readonly AddressThrottle _places = new(options.AccountReadsPerAddressMax);
    private readonly AddressThrottle _all = new(options.AccountReadsMax);

    /// <returns>How long to wait first; zero to go on.</returns>
    /// <param name="address">The caller's; calls from this machine itself are not counted.</param>
    public TimeSpan TryEnter(IPAddress? address)
    {
        if (address is not null && IPAddress.IsLoopback(address))
            return TimeSpan.Zero;
        var place = AddressBlock.OfSite(address);
        lock (_turn)
        {
            var wait = _places.Wait(place, clock.Steady);
            if (wait <= TimeSpan.Zero && _places.FailureCount(place, clock.Steady) >= FewOfBlock)
                wait = _all.Wait(All, clock.Steady);
            if (wait > TimeSpan.Zero)
                return wait;
            _places.Failed(place, clock.Steady);
            _all.Failed(All, clock.Steady);
            return TimeSpan.Zero;
        }
    }
}
