namespace ChordChat.Tests.Checkers;

/// <summary>What was told of messages against what the nodes' disks hold while no node runs.</summary>
public static class Disks
{
    /// <summary>What is wrong, in words; empty when every kept message lies on enough disks.</summary>
    /// <param name="kept">Messages whose senders were told that a majority keeps them.</param>
    /// <param name="disks">By node.</param>
    /// <param name="keepersOf">Who answers for a mailbox by what the disks say; null when no disk says it.</param>
    public static IEnumerable<string> Faults(
        IEnumerable<(string Mailbox, string Id)> kept, IReadOnlyDictionary<string, MailDisk> disks,
        Func<string, MailKeepers?> keepersOf) =>
        kept.Select(message => Fault(message, disks, keepersOf(message.Mailbox))).OfType<string>();

    /// <summary>Messages that were acknowledged for their recipient and that nobody has shown.</summary>
    /// <param name="isShown">Whether a device of the recipient has shown it, or tells it in its history.</param>
    public static IEnumerable<string> Swallowed(
        IEnumerable<(string Mailbox, string Id)> kept, IReadOnlyDictionary<string, MailDisk> disks,
        Func<(string Mailbox, string Id), bool> isShown) =>
        kept.Where(message => !isShown(message)
                && disks.Values.Any(disk => disk.Rows.TryGetValue(message, out var isBuried) && isBuried))
            .Select(message =>
                $"message {message.Id} of {message.Mailbox} is acknowledged, and no device has shown it");

    private static string? Fault(
        (string Mailbox, string Id) message, IReadOnlyDictionary<string, MailDisk> disks, MailKeepers? keepers)
    {
        if (keepers is null)
            return $"no disk says who keeps the mailbox of {message.Mailbox}";
        return Holds(keepers.Members) || (keepers.Before is { } before && Holds(before))
            ? null
            : $"kept message {message.Id} of {message.Mailbox} lies on {Count(keepers.Members)} disks of "
                + $"{keepers.Members.Count} ({string.Join(", ", keepers.Members)})";

        bool Holds(IReadOnlyList<string> members) => Count(members) > members.Count / 2;

        int Count(IReadOnlyList<string> members) =>
            members.Count(member => disks.TryGetValue(member, out var disk) && disk.Rows.ContainsKey(message));
    }
}

/// <summary>The mailboxes of one node.</summary>
/// <param name="Rows">For each message whether it was acknowledged, so that only its tombstone is left.</param>
public sealed record MailDisk(IReadOnlyDictionary<(string Mailbox, string Id), bool> Rows);

/// <param name="Members">Of the newest configuration on any disk.</param>
/// <param name="Before">Of the one before, while too few of <paramref name="Members"/> have taken over from it.</param>
public sealed record MailKeepers(IReadOnlyList<string> Members, IReadOnlyList<string>? Before);
