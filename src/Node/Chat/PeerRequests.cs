using ChordChat.Core.Chat;
using ChordChat.Node.Base;

namespace ChordChat.Node.Chat;

/// <summary>Answers what other nodes ask of the chat: the other side of <see cref="IPeerChat"/>. Safe for threads,
/// never waits.</summary>
internal sealed class PeerRequests(
    SessionTable sessions, IMailboxCounts mailboxes, ClientProofs proofs, ChatClock clock)
{
    private readonly Lock _turn = new();
    private readonly PresenceTable _presence = new();
    private readonly GuessThrottle _guesses = new();
    private long _sweptAt;

    public IReadOnlyList<LeaseAnswer> Renew(IReadOnlyList<LeaseRenewal> renewals)
    {
        var answers = new LeaseAnswer[renewals.Count];
        var now = clock.Steady;
        lock (_turn)
        {
            for (var i = 0; i < answers.Length; i++)
            {
                var (lease, ends) = renewals[i];
                if (ends)
                    _presence.End(lease, now);
                answers[i] = new LeaseAnswer(ends ? lease : _presence.Renew(lease, now), 0);
            }

            if (now - _sweptAt > 60_000)
            {
                _presence.Sweep(now);
                _sweptAt = now;
            }
        }

        for (var i = 0; i < answers.Length; i++)
            if (!renewals[i].Ends)
                answers[i] = answers[i] with { PendingCount = mailboxes.PendingCount(renewals[i].Lease.User) };
        return answers;
    }

    /// <summary>Where the user is: from the leases kept here, or because the session itself is here.</summary>
    public LeaseFound FindLease(string user)
    {
        Lease? lease;
        lock (_turn)
            lease = _presence.Find(user, clock.Steady);
        var here = sessions.Find(user)?.Lease;
        return new LeaseFound(here is not null && (lease is null || here.Session >= lease.Session) ? here : lease);
    }

    public HelloFound FindHello(string user) => new(sessions.Find(user)?.Hello);

    public DeliverOutcome Deliver(LiveMessage message) =>
        sessions.Find(message.User) is { } session && session.Number == message.Session
            ? session.Mail.Deliver(new(message.Id, message.Envelope), message.From)
            : DeliverOutcome.NotHere;

    /// <remarks>docs/protocol.md#what-a-member-may-ask: by the word of the user's own key, not of the node that asks.
    /// Two devices at once: the first one's end is known by the second one's lease.</remarks>
    public void EndSession(SessionEnding ending)
    {
        if (sessions.Find(ending.User) is { } session && session.Number <= ending.Session
            && proofs.MayFollow(session.User, session.Entry, ending.Entry))
            session.TakenOver(ending.Entry);
    }

    public TimeSpan CountGuess(Guess guess)
    {
        lock (_turn)
        {
            switch (guess.Step)
            {
                case GuessStep.Succeeded: _guesses.Succeeded(guess.User, guess.Place); return TimeSpan.Zero;
                case GuessStep.Forgiven: _guesses.Forgive(guess.User, guess.Place); return TimeSpan.Zero;
                default: return _guesses.Try(guess.User, guess.Place, AddressBlock.SiteOf(guess.Place), clock.Steady);
            }
        }
    }

    public IReadOnlyList<Lease> ListSessions(int max) => [.. sessions.All.Take(max).Select(session => session.Lease)];
}
