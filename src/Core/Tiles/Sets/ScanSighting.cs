using System.Numerics;

namespace ChordChat.Core.Tiles.Sets;

/// <summary>A message of a scan and the members that have shown it. If members hold different messages under one id,
/// the one that more of them have counts; in a tie, the one whose bytes sort first.</summary>
internal sealed class ScanSighting(SetMessage message)
{
    private ulong _members; // As bits; a configuration has at most 64.
    private ScanSighting? _other;

    public SetMessage Message => message;

    public int Count => BitOperations.PopCount(_members);

    /// <summary>Bytes of all messages with this id.</summary>
    public long Bytes => message.Content.Length + (_other?.Bytes ?? 0);

    /// <summary>Adds what a member has shown. Returns the sighting that counts now.</summary>
    public ScanSighting With(SetMessage seen, int member)
    {
        if (seen.Content.Span.SequenceEqual(message.Content.Span))
        {
            _members |= 1UL << member;
            return this;
        }

        var other = (_other ?? new ScanSighting(seen)).With(seen, member);
        if (!other.Outweighs(this))
        {
            _other = other;
            return this;
        }

        (_other, other._other) = (other._other, this);
        return other;
    }

    public bool IsAt(int member) => BytesAt(member) is not null;

    /// <summary>How many bytes this member has under the id; null if it has not shown it.</summary>
    public int? BytesAt(int member) =>
        (_members & (1UL << member)) != 0 ? message.Content.Length : _other?.BytesAt(member);

    public bool IsOnlyAt(int member) => _other is null && _members == 1UL << member;

    private bool Outweighs(ScanSighting than) => Count != than.Count
        ? Count > than.Count
        : message.Content.Span.SequenceCompareTo(than.Message.Content.Span) < 0;
}
