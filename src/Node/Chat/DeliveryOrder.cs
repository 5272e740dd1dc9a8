using System.Collections.Concurrent;
using ChordChat.Core.Tiles;
using ChordChat.Node.Tiles;

namespace ChordChat.Node.Chat;

/// <summary>Which messages go to the recipient's client only once a majority keeps them, instead of beside the disks,
/// and what senders must not learn from the answers.</summary>
/// <remarks>docs/protocol.md#presence and #tombstone-limit. A message that was handed over is not refused when the
/// mailbox has no room after all; so its sender would learn who is online, and two clients could pass each other any
/// number of messages through a mailbox that takes no more.</remarks>
internal sealed class DeliveryOrder(PresenceDoor presence)
{
    private const int FullMax = 10_000;

    /// <summary>A mailbox calls an old message too late, but not one that it still holds; so handing an old one in
    /// again would tell whether it was read. It calls nothing too late that is younger than this, since calendars of
    /// its members may be wrong by three days.</summary>
    private static readonly TimeSpan AgeMax = RowAges.Default.LateMax - RowAges.CalendarsMax;

    private readonly ConcurrentDictionary<(string From, string To), bool> _full = [];

    public bool IsKeptFirst(string from, string to) =>
        !presence.IsKnownToSee(from, to) || (!_full.IsEmpty && _full.ContainsKey((from, to)));

    /// <summary>Whether a message is refused for its age without asking the mailbox.</summary>
    public bool IsTooOld(string from, string to, TimeSpan age) => age >= AgeMax && !presence.IsKnownToSee(from, to);

    /// <summary>What the answer to a message says of its recipient must not depend on whether it was read.</summary>
    public HandedIn HandedIn(Submission submission) => new(
        submission.From, submission.SentMs, IsQuiet: !presence.IsKnownToSee(submission.From, submission.To));

    /// <summary>Remembers for whom there was no room when they wrote last.</summary>
    public void Answered(string from, string to, AddOutcome outcome)
    {
        if (outcome is AddOutcome.Full)
        {
            if (_full.Count >= FullMax)
                _full.Clear();
            _full[(from, to)] = true;
        }
        else if (outcome is AddOutcome.Stored && !_full.IsEmpty)
            _full.TryRemove((from, to), out _);
    }
}
