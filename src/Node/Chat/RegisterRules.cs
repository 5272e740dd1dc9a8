using System.Globalization;
using System.Text;
using ChordChat.Core.Chat;
using ChordChat.Core.Tiles;
using ChordChat.Crypto.KeyLogs;
using ChordChat.Node.Tiles;

namespace ChordChat.Node.Chat;

/// <summary>Which values a replica keeps in the registers of the chat; a kind that is not named here has
/// none.</summary>
/// <remarks>docs/protocol.md#value-rules. Runs on the replica's one thread: a signature is looked at only where the
/// head of a key log is another one.</remarks>
internal sealed class RegisterRules(ChatIdentity identity) : IValueRules
{
    /// <summary>A session's number grows by one at a time; a copy may have missed many.</summary>
    private const ulong SessionStepMax = 1UL << 20;

    /// <summary>What a node writes into its own register to see that it can.</summary>
    private const int ReadyBytesMax = 256;

    private readonly AccountRules _accounts = new(identity);

    public bool HasRegister(string key) => RowKind.OfRegister(key) is not null;

    public bool HasSet(string name) => RowKind.OfSet(name) is not null;

    public string? BesideOf(string key) =>
        Parts(key) is ["sess" or "keylog", var user, ..] ? $"acct/{user}" : null;

    public ValueVerdict Judge(
        string key, ReadOnlyMemory<byte> own, ReadOnlyMemory<byte> value, ReadOnlyMemory<byte>? beside)
    {
        if (value.IsEmpty || !HasRegister(key))
            return ValueVerdict.Malformed;
        try
        {
            return Parts(key) switch
            {
                ["acct", var user] => _accounts.Judge(user, TryRead(own, Account.FromBytes), Account.FromBytes(value)),
                ["keylog", var user, var number] =>
                    JudgeEntry(user, number, own, value, beside is { } there ? AccountIn(there) : null),
                ["sess", _] => JudgeSession(
                    TryRead(own, SessionRecord.FromBytes), SessionRecord.FromBytes(value),
                    beside is { } there ? AccountIn(there) : null),
                ["invite", var id] => JudgeUse(id, own, InvitationUse.FromBytes(value)),
                ["circle", _] when Circle.FromBytes(value) is not null => ValueVerdict.Fits,
                ["ready", _] when IsReadyText(value.Span) => ValueVerdict.Fits,
                _ => ValueVerdict.Malformed,
            };
        }
        catch (InvalidDataException)
        {
            return ValueVerdict.Malformed;
        }
    }

    public bool FitsBeside(string key, ReadOnlyMemory<byte> value, ReadOnlyMemory<byte> beside) => Parts(key) switch
    {
        ["keylog", ..] => KeyLogEntry.TryParse(value.Span) is { } entry && IsUnder(AccountIn(beside), entry),
        ["sess", _] => TryRead(value, SessionRecord.FromBytes) is { } session && HasKeys(AccountIn(beside), session),
        _ => true,
    };

    /// <summary>An entry is written once, under the identity that the account has.</summary>
    private ValueVerdict JudgeEntry(
        string user, string number, ReadOnlyMemory<byte> own, ReadOnlyMemory<byte> next, Beside? beside)
    {
        if (KeyLog.VerifyAlone(identity.Cluster, user, next.Span) is not { } entry
            || entry.Seq.ToString(CultureInfo.InvariantCulture) != number)
            return ValueVerdict.Malformed;
        var fits = own.IsEmpty && (beside is null || IsUnder(beside, entry));
        return fits ? ValueVerdict.Fits : ValueVerdict.DoesNotFollow;
    }

    /// <summary>None after the head; and what has its number is the head itself, whatever else its owner has
    /// signed.</summary>
    private static bool IsUnder(Beside beside, KeyLogEntry entry) =>
        beside.Account is { Head: var head } account && AccountRules.IsOfIdentity(account, entry)
        && (entry.Seq < head.Number || head.Entry.Span.SequenceEqual(entry.Bytes.Span));

    private static bool HasKeys(Beside beside, SessionRecord session) => session.Epoch <= beside.Account?.Head.Epoch;

    private static ValueVerdict JudgeSession(SessionRecord? own, SessionRecord next, Beside? beside)
    {
        var known = own?.Number ?? 0;
        var follows = next.Number > known && next.Number - known <= SessionStepMax && next.Epoch >= (own?.Epoch ?? 0);
        var ends = own is { IsOpen: true } && next == own with { IsOpen = false };
        var fits = ends || (follows && (beside is null || HasKeys(beside, next)));
        return fits ? ValueVerdict.Fits : ValueVerdict.DoesNotFollow;
    }

    private ValueVerdict JudgeUse(string id, ReadOnlyMemory<byte> own, InvitationUse next)
    {
        if (InvitationCode.TryRead(next.Code.Span, identity.TicketKey.Span)?.Id != id || !UserName.IsValid(next.User))
            return ValueVerdict.Malformed;
        return own.IsEmpty ? ValueVerdict.Fits : ValueVerdict.DoesNotFollow;
    }

    private static bool IsReadyText(ReadOnlySpan<byte> text) =>
        text.Length <= ReadyBytesMax && Ascii.IsValid(text) && !text.ContainsAnyInRange((byte)0, (byte)31);

    private static string[] Parts(string key) => key.Split('/');

    private static Beside AccountIn(ReadOnlyMemory<byte> bytes) => new(TryRead(bytes, Account.FromBytes));

    /// <summary>What stands there now; what cannot be read counts for nothing.</summary>
    private static T? TryRead<T>(ReadOnlyMemory<byte> bytes, Func<ReadOnlyMemory<byte>, T> read)
        where T : class
    {
        try
        {
            return bytes.IsEmpty ? null : read(bytes);
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }

    /// <summary>The account that lies beside; null when there is none here.</summary>
    private sealed record Beside(Account? Account);
}
