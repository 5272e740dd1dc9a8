using ChordChat.Crypto;
using ChordChat.Sdk.Messages;
using ChordChat.Sdk.Profiles;
using ChordChat.Sdk.Sessions;
using ChordChat.Sdk.Storage;
using ChordChat.Wire;
using Microsoft.Data.Sqlite;

namespace ChordChat.Sdk;

/// <summary>Whose mail this user refuses, and to whom they have written: in the profile at once, and at the nodes as
/// soon as there is a session.</summary>
/// <remarks>docs/e2e.md, Receiving (Blocked). Safe for threads.</remarks>
public sealed class Circle
{
    /// <summary>A name that nobody has: to unblock it changes nothing, but is no question.</summary>
    private const string Nobody = "";

    /// <summary>Names in one change; nodes take no more.</summary>
    private const int NamesMax = 256;

    /// <summary>In place of 1 in <c>is_blocked_told</c>: nodes took no more names, so what they say of this one counts
    /// for nothing.</summary>
    private const int HereOnly = 2;

    /// <summary>In place of 1: nodes were told and have lost it, so they are told again. Another device may have lifted
    /// the block since.</summary>
    private const int Lost = 3;

    /// <summary>SQL: whether nodes are to be told that somebody is blocked, or is not.</summary>
    private const string IsBlockedUntold = "is_blocked_told IN (0, 3)";

    /// <summary>People of whom anything is known; beyond it nodes' word on whom this user wrote to elsewhere counts for
    /// nothing. What is done here always has room.</summary>
    internal const int PeopleMax = 10_000;

    /// <summary>After nodes could not agree on a change.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(10);

    /// <summary>The longest, after nodes have said again and again that they lost what they were told.</summary>
    private static readonly TimeSpan PauseMax = TimeSpan.FromMinutes(10);

    private readonly LocalStore _store;
    private readonly ChangeSignal _changed;
    private readonly TimeProvider _time;
    private readonly Lock _turn = new();
    private CircleChange? _asked;
    private bool _mustAsk;
    private bool _mustReplace; // Nodes have a circle that they cannot read, and keep it until something is changed.
    private long _begunAt;
    private TimeSpan _pause;
    private int _damagedCount;

    internal Circle(LocalStore store, ChangeSignal changed, TimeProvider? time = null) =>
        (_store, _changed, _time) = (store, changed, time ?? TimeProvider.System);

    /// <summary>Opens the circle of a profile without connecting to anything.</summary>
    public static Circle Of(UnlockedProfile me) => new(me.Store, new ChangeSignal());

    /// <summary>Everybody whose mail is refused, by name.</summary>
    public IReadOnlyList<string> Blocked => _store.Read(db => db.Query(
        "SELECT user FROM circle WHERE blocked = 1 ORDER BY user", row => row.GetString(0)));

    /// <summary>Whether nodes know all that was changed here: who is blocked, and who was written to or accepted.
    /// </summary>
    public bool IsTold => _store.Read(db =>
        db.Scalar<long>($"SELECT 1 FROM circle WHERE {IsBlockedUntold} OR is_written_told = 0 LIMIT 1")) != 1;

    /// <summary>As <see cref="IsTold"/>, of one person.</summary>
    public bool IsToldOf(string user) => _store.Read(db => db.Scalar<long>(
        $"SELECT 1 FROM circle WHERE user = $1 AND ({IsBlockedUntold} OR is_written_told = 0)", user)) != 1;

    /// <summary>Refuses somebody's mail from now on, and puts what was not shown yet away.</summary>
    /// <exception cref="ChordChatException"><c>bad_name</c>.</exception>
    public void Block(string user) => Set(user, isBlocked: true);

    /// <summary>Whether messages of people to whom this user never wrote wait until they are accepted.</summary>
    public bool RequestsWait
    {
        get => _store.Read(RequestTable.AreOn);
        set
        {
            _store.Write(db => RequestTable.Switch(db, value));
            _changed.Raise();
        }
    }

    /// <summary>Whether this device has heard to whom its user wrote on others, so that it can tell who is a stranger.
    /// </summary>
    public bool IsKnown => _store.Read(RequestTable.IsCircleKnown);

    /// <summary>Takes somebody's messages from now on as if this user had written to them.</summary>
    /// <exception cref="ChordChatException"><c>bad_name</c>, <c>is_blocked</c>.</exception>
    public void Accept(string user)
    {
        if (!UserName.IsValid(user))
            throw Failures.BadName(user);
        _store.Write(db =>
        {
            if (IsBlocked(db, user))
                throw new ChordChatException("is_blocked", $"you have blocked {user}", "unblock them first");
            WroteTo(db, user);
        });
        _changed.Raise();
    }

    /// <summary>Takes somebody's mail again, and what was put away is unread again; what was refused meanwhile is gone.
    /// </summary>
    /// <returns>Whether they were blocked as far as this machine knew; another device may have blocked them.</returns>
    /// <exception cref="ChordChatException"><c>bad_name</c>.</exception>
    public bool Unblock(string user) => Set(user, isBlocked: false);

    internal static bool IsBlocked(SqliteConnection db, string user) =>
        db.Scalar<long>("SELECT blocked FROM circle WHERE user = $1", user) == 1;

    /// <summary>Whether the mail of somebody who is blocked may be acknowledged unseen. On a new device a block that
    /// nodes were told of may have been lifted on another one, until they have said who is blocked now.</summary>
    /// <returns>Null if they are not blocked.</returns>
    internal static bool? IsCertainlyBlocked(SqliteConnection db, string user)
    {
        if (!IsBlocked(db, user))
            return null;
        return RequestTable.IsCircleKnown(db)
            || db.Scalar<long>("SELECT is_blocked_told FROM circle WHERE user = $1", user) is not (1 or Lost);
    }

    /// <summary>A text goes to somebody, or they are accepted.</summary>
    internal static void WroteTo(SqliteConnection db, string user)
    {
        var isNew = db.Execute(
            """
            INSERT INTO circle (user, written, is_written_told) VALUES ($1, 1, 0)
            ON CONFLICT DO UPDATE SET written = 1, is_written_told = 0 WHERE written IS NOT 1
            """,
            user) > 0;
        if (isNew)
            RequestTable.Meet(db, user);
    }

    /// <summary>A session begins: the node is asked what it knows, and told what it does not.</summary>
    internal void SessionBegins()
    {
        lock (_turn)
        {
            (_asked, _mustAsk, _mustReplace) = (null, true, false);
            if (_damagedCount <= 1)
                _pause = default;
        }
    }

    /// <summary>What to tell the node now; null when it knows all, or has not answered yet.</summary>
    internal CircleChange? TakeChange()
    {
        lock (_turn)
        {
            if (_asked is not null || Wait > TimeSpan.Zero)
                return null;
            var change = new CircleChange();
            _store.Read(db =>
            {
                change.Block.Add(Names(db, $"{IsBlockedUntold} AND blocked = 1"));
                change.Unblock.Add(Names(db, $"{IsBlockedUntold} AND blocked = 0"));
                change.WroteTo.Add(Names(db, "is_written_told = 0"));
                return true;
            });
            if (_mustReplace && change.CalculateSize() == 0)
                change.Unblock.Add(Nobody);
            if (!_mustAsk && change.CalculateSize() == 0)
                return null;
            (_mustAsk, _mustReplace) = (false, false);
            return _asked = change;
        }
    }

    /// <summary>A node says what the circle is now.</summary>
    /// <returns>What the user should know; null as a rule.</returns>
    internal string? Take(Wire.Circle circle)
    {
        var isFull = false;
        lock (_turn)
        {
            if (_asked is not { } asked)
                return null;
            _asked = null;
            isFull = circle.Code == "full" && asked.Block.Count > 0;
            var isQuestion = asked.CalculateSize() == 0;
            if (isFull)
                KeepHere(asked);
            else if (circle.Code == "damaged" && !isQuestion && ++_damagedCount > 1)
            {
                // All was told already, and they say again that they could not read it.
                _store.Write(Untell);
                PutOff(_pause * 2 < Pause ? Pause : _pause * 2);
                return _damagedCount > 2
                    ? null
                    : "nodes cannot store whom you blocked and wrote to; this machine remembers it and tells them "
                        + "again from time to time; tell the operator";
            }
            else if (circle.Code is not ("" or "damaged"))
            {
                PutOff(Pause);
                return null;
            }
            else
            {
                _damagedCount = circle.Code.Length == 0 ? 0 : _damagedCount;
                _store.Write(db => Take(db, asked, circle));
                _mustReplace = isQuestion && circle.Code.Length > 0;
                _mustAsk = !IsKnown; // Also if there is nothing to tell.
            }
        }

        _changed.Raise();
        return isFull
            ? "your block list at the nodes is full (1,000 names); the latest ones are blocked on this machine only. "
                + "To have nodes refuse them too, unblock somebody else, then block them again"
            : null;
    }

    private TimeSpan Wait => _pause - _time.GetElapsedTime(_begunAt);

    private void PutOff(TimeSpan pause) =>
        (_mustAsk, _pause, _begunAt) = (true, pause < PauseMax ? pause : PauseMax, _time.GetTimestamp());

    /// <summary>Nodes take no more names, and changed nothing: the rest of the change is told again, without these.
    /// </summary>
    private void KeepHere(CircleChange asked)
    {
        _mustAsk = true;
        _store.Write(db =>
        {
            foreach (var user in asked.Block)
                Told(db, user, "is_blocked_told", "blocked = 1", HereOnly);
        });
    }

    private static void Take(SqliteConnection db, CircleChange asked, Wire.Circle circle)
    {
        if (circle.Code == "damaged")
            Untell(db);
        foreach (var user in asked.Block)
            Told(db, user, "is_blocked_told", "blocked = 1");
        foreach (var user in asked.Unblock)
            Told(db, user, "is_blocked_told", "blocked = 0");
        foreach (var user in asked.WroteTo)
            Told(db, user, "is_written_told", "1");
        if (circle.Code.Length > 0)
            return; // They have said nothing of what it is.
        Follow(db, circle);
        RequestTable.SetCircleKnown(db);
    }

    /// <summary>Nodes have lost what they were told: they are told all of it again. It is no more certain than before:
    /// docs/e2e.md, Receiving (Blocked).</summary>
    private static void Untell(SqliteConnection db)
    {
        db.Execute(
            "UPDATE circle SET is_blocked_told = CASE is_blocked_told WHEN 1 THEN $1 ELSE 0 END "
            + "WHERE blocked = 1 AND is_blocked_told <> $1",
            Lost);
        db.Execute("UPDATE circle SET is_written_told = 0 WHERE written = 1");
    }

    private static void Told(SqliteConnection db, string user, string what, string condition, int how = 1) =>
        db.Execute($"UPDATE circle SET {what} = $2 WHERE user = $1 AND {condition}", user, how);

    /// <summary>What another device of this user changed.</summary>
    private static void Follow(SqliteConnection db, Wire.Circle circle)
    {
        var blocked = circle.Blocked.Where(user => UserName.IsValid(user)).Take(1_000).ToHashSet();
        foreach (var user in db.Query(
            "SELECT user FROM circle WHERE blocked = 1 AND is_blocked_told = 1", row => row.GetString(0)))
            if (!blocked.Remove(user))
            {
                db.Execute("UPDATE circle SET blocked = 0 WHERE user = $1", user);
                MessageTable.TakeBack(db, user);
            }

        foreach (var user in blocked)
            db.Execute(
                """
                INSERT INTO circle (user, blocked) VALUES ($1, 1)
                ON CONFLICT DO UPDATE SET blocked = 1 WHERE is_blocked_told = 1
                """,
                user);
        // Names that stand for nothing any more make room.
        db.Execute("DELETE FROM circle WHERE blocked = 0 AND written = 0 AND is_blocked_told = 1");
        var room = PeopleMax - db.Scalar<long>("SELECT count(*) FROM circle");
        foreach (var user in circle.WrittenTo.Where(user => UserName.IsValid(user)).Take(2_000))
            if ((room > 0 || Has(db, user)) && db.Execute(
                """
                INSERT INTO circle (user, written) VALUES ($1, 1)
                ON CONFLICT DO UPDATE SET written = 1 WHERE written IS NOT 1
                """,
                user) > 0)
            {
                room--;
                RequestTable.Meet(db, user);
            }
    }

    private static bool Has(SqliteConnection db, string user) =>
        db.Scalar<long>("SELECT 1 FROM circle WHERE user = $1", user) == 1;

    private static List<string> Names(SqliteConnection db, string condition) => db.Query(
        $"SELECT user FROM circle WHERE {condition} LIMIT {NamesMax}", row => row.GetString(0));

    /// <returns>Whether they were blocked before.</returns>
    private bool Set(string user, bool isBlocked)
    {
        if (!UserName.IsValid(user))
            throw Failures.BadName(user);
        var wasBlocked = _store.Write(db =>
        {
            var before = IsBlocked(db, user);
            db.Execute(
                """
                INSERT INTO circle (user, blocked, is_blocked_told) VALUES ($1, $2, 0)
                ON CONFLICT DO UPDATE SET blocked = $2, is_blocked_told = 0
                """,
                user, isBlocked);
            if (isBlocked)
                MessageTable.PutAway(db, user);
            else
                MessageTable.TakeBack(db, user);
            return before;
        });
        _changed.Raise();
        return wasBlocked;
    }
}
