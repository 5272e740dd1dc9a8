using ChordChat.Sdk.Storage;
using Microsoft.Data.Sqlite;

namespace ChordChat.Sdk.Messages;

/// <summary>Where a message stands in its chat: computed from what its sender signed, so the same at both
/// ends.</summary>
/// <remarks>
/// docs/e2e.md, One order for both. A hybrid logical clock (Kulkarni and others, 2014): the time that the sender names,
/// but after the sender's message before it and after all that the sender had heard. The device epochs of the two come
/// first, for a new device has not heard what was said to the one before it.
/// </remarks>
internal static class ChatOrder
{
    /// <summary>Milliseconds since 1970, until the year 2527; no message that was taken names a later time.</summary>
    public const long TimeMax = (1L << TimeBits) - 1;

    /// <summary>Until the year 2248. A later time counts as this one: after whoever names it there is room for all
    /// messages that can ever be, each in a place of its own.</summary>
    private const long NamedMax = TimeMax / 2;

    /// <summary>In <c>late</c>: others may belong elsewhere since it came.</summary>
    public const int IsDueSince = 2;

    private const int TimeBits = 44;
    private const long EpochsMax = (1L << (62 - TimeBits)) - 1;

    /// <summary>For a message of ours that is not sealed yet: after everything in the chat.</summary>
    public static long AtEnd(SqliteConnection db, string peer, long timeMs) => Math.Max(
        PlaceOf(new Link(peer, true, 1, 1, 1, 0, timeMs), 0, 0),
        db.Scalar<long>("SELECT max(place) FROM messages WHERE peer = $1", peer) + 1);

    /// <summary>For a message whose sender's messages before it are all here, or given up.</summary>
    public static long PlaceOf(SqliteConnection db, Link link) => PlaceOf(
        link,
        LastPlace(db, link.Peer, link.Mine, link.Epoch, link.ToEpoch, link.Seq - 1),
        LastPlace(db, link.Peer, !link.Mine, link.ToEpoch, link.Epoch, link.Heard));

    /// <summary>Whether something came late since the places of a chat were computed.</summary>
    public static bool IsDue(SqliteConnection db, string peer) =>
        db.Scalar<long>("SELECT 1 FROM messages WHERE peer = $1 AND late = 2 LIMIT 1", peer) == 1;

    /// <summary>Computes the places of a chat anew: what came late belongs before what was placed without it. That
    /// takes the whole chat and may move all of it, so it waits until somebody reads the chat.</summary>
    public static void Renew(SqliteConnection db, string peer)
    {
        var all = db.Query(
            """
            SELECT id, place, mine, epoch, to_epoch, seq, heard, sent_ms FROM messages
            WHERE peer = $1 AND seq > 0 AND rank IS NOT NULL ORDER BY seq, id
            """,
            row => new Placed(row.GetString(0), row.Number(1), new Link(
                peer, row.Number(2) != 0, row.Number(3), row.Number(4), row.Number(5), row.Number(6),
                row.Number(7))),
            peer);
        foreach (var devices in all.GroupBy(message => message.Link.Devices))
            Renew(db, [.. devices.Where(one => one.Link.Mine)], [.. devices.Where(one => !one.Link.Mine)]);
        db.Execute("UPDATE messages SET late = 1 WHERE peer = $1 AND late = 2", peer);
    }

    private static void Renew(SqliteConnection db, Placed[] ours, Placed[] theirs)
    {
        var (i, j) = (0, 0);
        while (i < ours.Length || j < theirs.Length)
        {
            // A message goes before the one that had heard it; if both claim to have, ours goes first.
            var isOurs = j == theirs.Length || (i < ours.Length
                && (ours[i].Link.Seq <= theirs[j].Link.Heard || theirs[j].Link.Seq > ours[i].Link.Heard));
            if (isOurs)
                ours[i] = Renew(db, ours[i], ours.AsSpan(0, i++), theirs.AsSpan(0, j));
            else
                theirs[j] = Renew(db, theirs[j], theirs.AsSpan(0, j++), ours.AsSpan(0, i));
        }
    }

    private static Placed Renew(
        SqliteConnection db, Placed message, ReadOnlySpan<Placed> sameSide, ReadOnlySpan<Placed> otherSide)
    {
        var heard = otherSide.Length;
        while (heard > 0 && otherSide[heard - 1].Link.Seq > message.Link.Heard)
            heard--;
        var place = PlaceOf(
            message.Link, sameSide.IsEmpty ? 0 : sameSide[^1].Place, heard == 0 ? 0 : otherSide[heard - 1].Place);
        if (place != message.Place)
            db.Execute("UPDATE messages SET place = $2 WHERE id = $1", message.Id, place);
        return message with { Place = place };
    }

    private static long LastPlace(SqliteConnection db, string peer, bool mine, long epoch, long toEpoch, long upTo) =>
        db.Scalar<long>(
            """
            SELECT place FROM messages WHERE peer = $1 AND mine = $2 AND epoch = $3 AND to_epoch = $4 AND seq <= $5
            AND rank IS NOT NULL ORDER BY seq DESC LIMIT 1
            """,
            peer, mine, epoch, toEpoch, upTo);

    private static long PlaceOf(Link link, long previous, long heard)
    {
        var epochs = Math.Min(link.Epoch + link.ToEpoch, EpochsMax) << TimeBits;
        var time = Math.Max(Math.Clamp(link.TimeMs, 0, NamedMax), Math.Max(previous, heard) - epochs + 1);
        return epochs + Math.Min(time, TimeMax);
    }

    private readonly record struct Placed(string Id, long Place, Link Link);
}

/// <summary>What a sender signed about a message's place in the chat.</summary>
/// <param name="Epoch">Of the sender's device.</param>
/// <param name="ToEpoch">Of the recipient's device that the sender knew.</param>
/// <param name="Heard">The other side's last message, by its number, that the sender had.</param>
internal readonly record struct Link(
    string Peer, bool Mine, long Epoch, long ToEpoch, long Seq, long Heard, long TimeMs)
{
    public (long Ours, long Theirs) Devices => Mine ? (Epoch, ToEpoch) : (ToEpoch, Epoch);
}
