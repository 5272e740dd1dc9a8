using System.Buffers;
using ChordChat.Wire;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Xunit;

namespace ChordChat.Tests.Unit.Base;

/// <summary>docs/security.md, "What a call may cost": one budget for all fields of a message, however nested.</summary>
public sealed class MessageCostTests
{
    private const int Bytes = 64 << 10;

    private static readonly FileDescriptor[] Protocols =
        [ChatReflection.Descriptor, ReplicaReflection.Descriptor, RingReflection.Descriptor, ViewReflection.Descriptor];

    /// <summary>Any field of any message, at any depth, as short as can be and as often as fits.</summary>
    [Fact]
    public void Short_parts_of_any_field_cost_a_small_multiple_of_the_bytes()
    {
        var refused = 0;
        foreach (var root in Roots())
            foreach (var way in Ways(root, []))
                for (var level = 0; level < way.Length; level++)
                {
                    var message = Repeating(way, level);
                    if (IsTooHigh(root, message))
                    {
                        refused++;
                        continue;
                    }

                    var cost = AllocatedBy(() => root.Parser.WithDiscardUnknownFields(true).ParseFrom(message));
                    var most = MessageCost.FreeBytes + (MessageCost.PerByteMax * message.Length);
                    Assert.True(
                        cost < most * 5L / 4,
                        $"{root.Name}.{string.Join('.', way.Select(field => field.Name))} costs {cost} bytes");
                }

        Assert.InRange(refused, 100, int.MaxValue);
    }

    /// <summary>The parser makes a choice anew each time that it occurs, with a copy of what it held.</summary>
    [Fact]
    public void A_choice_that_occurs_again_and_again_does_not_cost_the_square()
    {
        var compare = new Call { Compare = new() { Tiles = { new WireTileSum() } } }.ToByteArray();
        var call = Enumerable.Repeat(compare, 1_000).SelectMany(part => part).ToArray();
        Assert.True(IsTooHigh(CallFrame.Descriptor, Field(CallFrame.Descriptor.Fields[1], call)));
    }

    [Fact]
    public void Honest_messages_with_the_longest_lists_are_read()
    {
        foreach (var message in Longest())
            Assert.Equal(
                (message.Descriptor.Name, CostVerdict.Affordable),
                (message.Descriptor.Name, MessageCost.Of(message.Descriptor).Judge(new(message.ToByteArray()))));
    }

    private static IEnumerable<IMessage> Longest()
    {
        var id = ByteString.CopyFrom(new byte[16]);
        var node = ByteString.CopyFrom(new byte[32]);
        var at = new WireTileEpoch { Bits = 12, Prefix = 3_000, Generation = 1, Epoch = 20 };
        var peer = new WirePeer { NodeId = node, Position = id, Name = "n1", Address = "10.0.0.1:7400" };
        var sum = new WireTileSum { At = at, Root = id };
        var stamp = new WireRowStamp { At = new() { Entries = true, Name = "mbox/bo", Id = id }, Buried = true };
        yield return new ClientFrame
        {
            Acknowledged = { Enumerable.Repeat(id, 16_384) },
            Sends = { Enumerable.Repeat(new Send { Id = id, To = "bob", Envelope = id }, 64) },
        };
        yield return new PingReply
        {
            Gossip = { Enumerable.Repeat(new MemberRecord { Peer = peer, Incarnation = 1 }, 4_096) },
        };
        yield return new AnswerFrame { Answers = { Enumerable.Repeat(new Answer { Accepted = new() }, 128) } };
        yield return Frame(new Answer
        {
            RenewLeases = new() { Leases = { Enumerable.Repeat(new LeaseRenewalAnswer { Unproven = true }, 2_000) } },
        });
        yield return Frame(new Answer
        {
            Pulled = new()
            {
                Entries = { Enumerable.Repeat(new WireEntry { Set = "mbox/bo", Id = id, SinceMs = 9 }, 30_000) },
            },
        });
        yield return Frame(new Call { Compare = new() { Tiles = { Enumerable.Repeat(sum, 30_000) } } });
        yield return Frame(new Call { Missing = new() { Have = { Enumerable.Repeat(stamp, 30_000) } } });
        yield return new OnlineUsers
        {
            Users = { Enumerable.Repeat(new UserStatus { User = "bo", Online = true, SinceMs = 1L << 40 }, 10_000) },
        };
        yield return new Wire.Circle { WrittenTo = { Enumerable.Repeat("bob", 2_000) } };
    }

    private static CallFrame Frame(Call call) => new() { Calls = { call } };

    private static AnswerFrame Frame(Answer answer) => new() { Answers = { answer } };

    private static bool IsTooHigh(MessageDescriptor root, byte[] message) =>
        MessageCost.Of(root).Judge(new ReadOnlySequence<byte>(message)) == CostVerdict.TooHigh;

    private static IEnumerable<MessageDescriptor> Roots() =>
        from file in Protocols
        from service in file.Services
        from method in service.Methods
        from root in (MessageDescriptor[])[method.InputType, method.OutputType]
        select root;

    /// <summary>All ways from a message down to one of its fields.</summary>
    private static IEnumerable<FieldDescriptor[]> Ways(MessageDescriptor message, FieldDescriptor[] above)
    {
        foreach (var field in message.Fields.InFieldNumberOrder())
        {
            FieldDescriptor[] way = [.. above, field];
            yield return way;
            if (field.FieldType == FieldType.Message)
                foreach (var deeper in Ways(field.MessageType, way))
                    yield return deeper;
        }
    }

    /// <summary>The field at <paramref name="level"/> as often as fits, each with the rest of the way once.</summary>
    private static byte[] Repeating(FieldDescriptor[] way, int level)
    {
        var part = way[^1].FieldType switch
        {
            FieldType.Message => Field(way[^1], []),
            FieldType.String or FieldType.Bytes => Field(way[^1], [0x61]),
            FieldType.Fixed64 or FieldType.Double =>
                (byte[])[.. Varint((uint)(way[^1].FieldNumber << 3) | 1), .. new byte[8]],
            _ => (byte[])[.. Varint((uint)way[^1].FieldNumber << 3), 1],
        };
        for (var at = way.Length - 1; at >= 0; at--)
        {
            if (at == level)
                part = Many(part);
            if (at > 0)
                part = Field(way[at - 1], part);
        }

        return part;
    }

    private static byte[] Many(byte[] part)
    {
        var all = new byte[Bytes / part.Length * part.Length];
        for (var at = 0; at < all.Length; at += part.Length)
            part.CopyTo(all, at);
        return all;
    }

    private static byte[] Field(FieldDescriptor field, byte[] content) =>
        [.. Varint((uint)(field.FieldNumber << 3) | 2), .. Varint((uint)content.Length), .. content];

    private static IEnumerable<byte> Varint(uint value)
    {
        for (; value > 0x7f; value >>= 7)
            yield return (byte)(value | 0x80);
        yield return (byte)value;
    }

    private static long AllocatedBy(Action action)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        action();
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }
}
