using ChordChat.Core.Chat;
using ChordChat.Node.Replication;

namespace ChordChat.Node.Chat;

/// <summary>Counts guesses of passwords: per user at the owner of the account's tile, per address here.</summary>
internal sealed class Guesses(
    ChatOptions options, IMessageSets sets, ChatPeers peers, PeerRequests here, ChatClock clock)
{
    private readonly Lock _turn = new();
    private readonly AddressThrottle _addresses = new(options.FailuresPerAddressMax);

    /// <summary>Counts a guess before it is checked.</summary>
    /// <returns>How long to wait first; zero to go on.</returns>
    public async Task<TimeSpan> TryAsync(string user, string address, CancellationToken cancellation)
    {
        TimeSpan wait;
        lock (_turn)
            wait = _addresses.Wait(address, clock.Steady);
        return wait > TimeSpan.Zero ? wait : await CountAsync(user, GuessStep.Try, cancellation);
    }

    public void Failed(string address)
    {
        lock (_turn)
            _addresses.Failed(address, clock.Steady);
    }

    public Task SucceededAsync(string user, CancellationToken cancellation) =>
        CountAsync(user, GuessStep.Succeeded, cancellation);

    private async Task<TimeSpan> CountAsync(string user, GuessStep step, CancellationToken cancellation)
    {
        var account = RegisterKey.Account(user);
        var place = await sets.PlaceAsync(new SetKey(account.Name), cancellation);
        foreach (var member in place.Members)
            if (await peers.CountGuessAsync(member, user, step, cancellation) is { } wait)
                return wait;
        return here.CountGuess(user, step); // Cut off from all of them: better this node's count than none.
    }
}
