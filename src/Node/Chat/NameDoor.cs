using System.Net;
using ChordChat.Core.Chat;
using ChordChat.Node.Hosting;

namespace ChordChat.Node.Chat;

/// <summary>How many names may be asked for before registering, from one place and in all: who asks for many wants a
/// list of them. Safe for threads.</summary>
internal sealed class NameDoor(ChatOptions options, ChatClock clock)
{
    private const string All = "all";
    private readonly Lock _turn = new();
    private readonly AddressThrottle _places = new(options.NamesPerAddressMax);
    private readonly AddressThrottle _all = new(options.NamesMax);

    /// <returns>How long to wait first; zero to go on.</returns>
    public TimeSpan TryEnter(IPAddress? address)
    {
        var place = AddressBlock.OfSite(address);
        lock (_turn)
        {
            var (ofPlace, ofAll) = (_places.Wait(place, clock.Steady), _all.Wait(All, clock.Steady));
            if (ofPlace > TimeSpan.Zero || ofAll > TimeSpan.Zero)
                return ofPlace > ofAll ? ofPlace : ofAll;
            _places.Failed(place, clock.Steady);
            _all.Failed(All, clock.Steady);
            return TimeSpan.Zero;
        }
    }
}
