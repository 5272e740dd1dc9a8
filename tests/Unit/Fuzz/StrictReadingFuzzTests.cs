using System.Buffers;
using ChordChat.Core.Ring;
using ChordChat.Wire;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Xunit;

namespace ChordChat.Tests.Unit.Fuzz;

/// <summary>docs/security.md, "What a call may cost": the estimate refuses as broken only what the parser refuses, too.
/// </summary>
public sealed class StrictReadingFuzzTests
{
    private const int RoundsPerType = 20_000;

    [Fact]
    public void What_the_parser_takes_the_estimate_reads_to_its_end()
    {
        Compare<ClientFrame>();
        Compare<NodeFrame>();
        Compare<CallFrame>();
        Compare<AnswerFrame>();
        Compare<PingReply>();
        Compare<OnlineUsers>();
        Compare<PublishKeysRequest>();
    }

    [Fact]
    public void Packed_or_not_numbers_are_read()
    {
        foreach (var bytes in (byte[][])[[0x1a, 3, 1, 2, 3], [0x18, 1, 0x18, 2], [0x18, 1, 0x1a, 1, 2], [0x1a, 0]])
        {
            WireConfiguration.Parser.ParseFrom(bytes);
            Assert.Equal(CostVerdict.Affordable, MessageCost.Of(WireConfiguration.Descriptor).Judge(new(bytes)));
        }
    }

    private static void Compare<T>()
        where T : IMessage<T>, new()
    {
        var corpus = WireSamples.Corpus<T>(100);
        var parser = new MessageParser<T>(() => new T()).WithDiscardUnknownFields(true);
        var cost = MessageCost.Of(new T().Descriptor);
        FuzzRun.Rounds(RoundsPerType, Valid, bytes => Judge(bytes, isValid: true), Convert.ToHexString);
        var taken = 0;
        FuzzRun.Rounds(
            RoundsPerType, random => Mutation.Of([.. corpus, Valid(random)], random),
            bytes => taken += Judge(bytes, isValid: false) ? 1 : 0, Convert.ToHexString);
        Assert.InRange(taken, RoundsPerType / 20, RoundsPerType * 19 / 20);

        bool Judge(byte[] bytes, bool isValid)
        {
            var isTaken = isValid || IsTaken(parser, bytes);
            if (isValid)
                parser.ParseFrom(bytes);
            var verdict = cost.Judge(new ReadOnlySequence<byte>(bytes));
            if (isTaken)
                Assert.NotEqual(CostVerdict.Broken, verdict);
            return isTaken;
        }

        byte[] Valid(Prng random)
        {
            List<byte> bytes = [];
            for (var parts = random.Below(4); parts >= 0; parts--)
                bytes.AddRange(random.Below(3) switch
                {
                    0 => Unknown(random, 0),
                    1 => Nested(new T().Descriptor, random),
                    _ => corpus[random.Below(corpus.Length)],
                });
            return [.. bytes];
        }
    }

    private static bool IsTaken<T>(MessageParser<T> parser, byte[] bytes)
        where T : IMessage<T>
    {
        try
        {
            WireSamples.Parse(parser, bytes);
            return true;
        }
        catch (Exception e) when (e is InvalidProtocolBufferException or InvalidDataException)
        {
            return false;
        }
    }

    /// <summary>Unknown fields in a message that is a field of this one, if any is.</summary>
    private static byte[] Nested(MessageDescriptor message, Prng random)
    {
        var unknown = Unknown(random, 0);
        var fields = message.Fields.InFieldNumberOrder().Where(field => field.FieldType == FieldType.Message).ToList();
        return fields.Count == 0
            ? unknown
            : [
                .. Varint(((ulong)fields[random.Below(fields.Count)].FieldNumber << 3) | 2),
                .. Varint((ulong)unknown.Length), .. unknown,
            ];
    }

    private static byte[] Unknown(Prng random, int depth)
    {
        const ulong Number = 5_000;
        var kind = (ulong)random.Below(depth < 5 ? 7 : 6);
        return kind switch
        {
            0 => [.. Tag(0), .. Varint(random.Next())],
            1 => [.. Tag(1), .. new byte[8]],
            2 => [.. Tag(2), .. Varint(9), .. new byte[9]],
            3 => [.. Tag(5), .. new byte[4]],
            4 => [.. Tag(6)],
            5 => [.. Tag(7)],
            _ => [.. Tag(3), .. Many(), .. Tag(4)],
        };

        IEnumerable<byte> Tag(ulong type) => Varint((Number << 3) | type);

        List<byte> Many()
        {
            List<byte> all = [];
            for (var left = random.Below(4); left > 0; left--)
                all.AddRange(Unknown(random, depth + 1));
            return all;
        }
    }

    private static IEnumerable<byte> Varint(ulong value)
    {
        for (; value > 0x7f; value >>= 7)
            yield return (byte)(value | 0x80);
        yield return (byte)value;
    }
}
