using System.Buffers;

namespace ChordChat.Wire;

/// <summary>One pass over the bytes of a message that adds up its cost, to the end, or to where the parser would refuse
/// it.</summary>
/// <remarks>It must understand everything that the parser understands, so it cuts tags and lengths to 32 bits as that
/// does. The parser notices many errors only after it has built the rest. So a message at which this pass stops is
/// refused, and the parser never sees it.</remarks>
internal ref struct MessageWalk(ReadOnlySequence<byte> message, long budget)
{
    /// <summary>As the parser's.</summary>
    private const int DepthMax = 100;

    private readonly long _length = message.Length;
    private SequenceReader<byte> _reader = new(message);
    private long _left = budget;

    public CostVerdict Judge(MessageCost message)
    {
        _left -= message.ObjectBytes;
        var isWhole = TryRead(message, _length, DepthMax);
        return _left < 0 ? CostVerdict.TooHigh : isWhole ? CostVerdict.Affordable : CostVerdict.Broken;
    }

    private bool TryRead(MessageCost message, long end, int depth)
    {
        var atStart = _left;
        var seen = 0UL;
        while (_reader.Consumed < end)
        {
            if (!TryReadVarint(out var tag))
                return false;
            var wireType = (uint)tag & 7;
            var field = message.Of((uint)tag >> 3);
            if (field is null || !field.IsExpected(wireType))
            {
                if (!TrySkip(wireType))
                    return false;
                continue;
            }

            var length = 0UL;
            if (wireType == 2 && !TryReadLength(end, out length))
                return false;
            _left -= field.Bytes((long)length);
            var isFirst = (seen & field.Bit) == 0;
            if (field.IsRepeated)
                _left -= isFirst ? FieldCost.FirstElementBytes : FieldCost.ElementBytes;
            else if (field.IsMerged && !isFirst)
                _left -= atStart - _left;
            seen |= field.Bit;
            if (_left < 0 || !TryPass(field, wireType, (long)length, depth))
                return false;
        }

        return _reader.Consumed == end;
    }

    private bool TryPass(FieldCost field, uint wireType, long length, int depth)
    {
        if (field.Message is { } nested)
            return depth > 0 && TryRead(nested, _reader.Consumed + length, depth - 1);
        if (wireType != 2)
            return TrySkip(wireType);
        _reader.Advance(length);
        return true;
    }

    /// <summary>What is in an unknown group is as unknown as the group.</summary>
    private bool TrySkip(uint wireType)
    {
        for (var groups = 0; ;)
        {
            var isSkipped = wireType switch
            {
                0 => TryReadVarint(out _),
                1 => TryAdvance(8),
                2 => TryReadLength(_length, out var length) && TryAdvance((long)length),
                3 => true,
                4 => groups > 0,
                5 => TryAdvance(4),
                _ => true, // There is no such type; the parser takes the tag for the whole field.
            };
            if (!isSkipped)
                return false;
            groups += wireType switch { 3 => 1, 4 => -1, _ => 0 };
            if (groups == 0)
                return true;
            if (!TryReadVarint(out var tag))
                return false;
            wireType = (uint)tag & 7;
        }
    }

    private bool TryReadLength(long end, out ulong length) =>
        TryReadVarint(out length) && (long)(length &= uint.MaxValue) <= end - _reader.Consumed;

    private bool TryAdvance(long length)
    {
        if (length > _reader.Remaining)
            return false;
        _reader.Advance(length);
        return true;
    }

    private bool TryReadVarint(out ulong value)
    {
        if (!_reader.TryRead(out var part))
        {
            value = 0;
            return false;
        }

        value = part;
        return part < 0x80 || TryReadRest(ref value);
    }

    private bool TryReadRest(ref ulong value)
    {
        value &= 0x7f;
        for (var shift = 7; shift < 64 && _reader.TryRead(out var part); shift += 7)
        {
            value |= (ulong)(part & 0x7f) << shift;
            if (part < 0x80)
                return true;
        }

        return false;
    }
}
