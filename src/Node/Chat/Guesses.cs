using System.Net;
using ChordChat.Core.Chat;
using ChordChat.Node.Base;
using ChordChat.Node.Tiles;

namespace ChordChat.Node.Chat;

/// <summary>Counts guesses of passwords: per user and address block at the owner of the
/// account's tile, per address here.</summary>
internal sealed class Guesses(
    ChatOptions options, IMessageSets sets, ChatPeers peers, PeerRequests here, ChatClock clock)
{
    private readonly Lock _turn = new();
    private readonly AddressThrottle _addresses = new(options.FailuresPerAddressMax);

    /// <summary>Counts a guess before it is checked.</summary>
    /// <returns>How long to wait first; zero to go on.</returns>
    public async Task<TimeSpan> TryAsync(string user, IPAddress? address, CancellationToken cancellation)
    {
        var wait = WaitOf(address);
        return wait > TimeSpan.Zero
            ? wait
            : await CountAsync(new(user, AddressBlock.Of(address), GuessStep.Try), cancellation);
    }

    /// <summary>How long whoever guesses from there has to wait, whomever they guess; zero to go on. Counts nothing.
    /// </summary>
    public TimeSpan WaitOf(IPAddress? address)
    {
        lock (_turn)
            return _addresses.Wait(HolderOf(address), clock.Steady);
    }

    public void Failed(IPAddress? address)
    {
        lock (_turn)
            _addresses.Failed(HolderOf(address), clock.Steady);
    }

    /// <param name="isProven">Whether a majority of the account's copies says so.</param>
    public Task SucceededAsync(string user, IPAddress? address, bool isProven, CancellationToken cancellation) =>
        CountAsync(
            new(user, AddressBlock.Of(address), isProven ? GuessStep.Succeeded : GuessStep.Forgiven), cancellation);

    private static string HolderOf(IPAddress? address) =>
        address is null ? "unknown" : AddressBlock.Holder(address).ToString();

    private async Task<TimeSpan> CountAsync(Guess guess, CancellationToken cancellation)
    {
        var account = RegisterKey.Account(guess.User);
        var place = await sets.PlaceAsync(new SetKey(account.Name), cancellation);
        foreach (var member in place.Members)
            if (await peers.CountGuessAsync(member, guess, cancellation) is { } wait)
                return wait;
        return here.CountGuess(guess); // Cut off from all of them: better this node's count than none.
    }
}
