using System.Collections;
using System.Text;
using ChordChat.Core.Ring;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace ChordChat.Tests.Unit.Fuzz;

/// <summary>Messages of any type of the protocol, filled by chance: mostly plausible, in places absurd.</summary>
internal static class WireSamples
{
    private const int DepthMax = 5;

    private static readonly ulong[] Numbers =
        [0, 1, 2, 7, 127, 128, int.MaxValue, 0x8000_0000, uint.MaxValue, long.MaxValue, 1UL << 63, ulong.MaxValue];

    private static readonly string[] Texts =
    [
        "", "alice", "n2", "a b", "x\0y", "ünï", " ", "acct/alice", "mbox/alice", "../..",
        new('a', 65), new('b', 5_000),
    ];

    private static readonly string[] Addresses =
    [
        "", " ", "127.0.0.1", ":7401", "[abc]:7401", "a@b:1", "h:99999", "h/x:1", "h?x:1", "[::1]:7401",
        "\t:1", "[]:1",
    ];

    public static T Of<T>(Prng random)
        where T : IMessage, new()
    {
        var message = new T();
        Fill(message, random, 0);
        return message;
    }

    /// <summary>A frame with many messages in its first field.</summary>
    public static T Of<T>(Prng random, int count)
        where T : IMessage, new()
    {
        var frame = new T();
        var field = frame.Descriptor.Fields[1];
        var list = (IList)field.Accessor.GetValue(frame);
        for (var i = 0; i < count; i++)
            list.Add(Value(field, random, 0));
        return frame;
    }

    /// <summary>Serialized messages to start from.</summary>
    public static byte[][] Corpus<T>(int count)
        where T : IMessage, new()
    {
        var random = new Prng(77);
        return [.. Enumerable.Range(0, count).Select(_ => Of<T>(random).ToByteArray())];
    }

    private static void Fill(IMessage message, Prng random, int depth)
    {
        foreach (var field in message.Descriptor.Fields.InFieldNumberOrder())
            if (field.RealContainingOneof is null && random.Below(12) > 0)
                Set(message, field, random, depth);
        foreach (var oneof in message.Descriptor.Oneofs.Where(oneof => !oneof.IsSynthetic))
            if (random.Below(20) > 0)
                Set(message, oneof.Fields[random.Below(oneof.Fields.Count)], random, depth);
    }

    private static void Set(IMessage message, FieldDescriptor field, Prng random, int depth)
    {
        if (depth >= DepthMax && field.FieldType == FieldType.Message)
            return;
        if (!field.IsRepeated)
        {
            field.Accessor.SetValue(message, Value(field, random, depth));
            return;
        }

        var list = (IList)field.Accessor.GetValue(message);
        for (var left = random.Below(200) == 0 ? 300 : random.Below(5); left > 0; left--)
            list.Add(Value(field, random, depth));
    }

    private static object Value(FieldDescriptor field, Prng random, int depth)
    {
        switch (field.FieldType)
        {
            case FieldType.Message:
                var inner = (IMessage)Activator.CreateInstance(field.MessageType.ClrType)!;
                Fill(inner, random, depth + 1);
                return inner;
            case FieldType.Bytes:
                return ByteString.CopyFrom(Bytes(field.Name, random));
            case FieldType.String:
                return Text(field.Name, random);
            case FieldType.Bool:
                return random.Below(2) == 0;
            case FieldType.Enum:
                return Enum.ToObject(field.EnumType.ClrType, random.Below(8) == 0 ? -7 : random.Below(7));
            case FieldType.UInt32:
                return (uint)Number(field.Name, random);
            case FieldType.Int32:
                return (int)Number(field.Name, random);
            case FieldType.Int64:
                return (long)Number(field.Name, random);
            case FieldType.UInt64 or FieldType.Fixed64:
                return Number(field.Name, random);
            case FieldType.Double:
                return random.Below(3) == 0 ? double.NaN : random.NextDouble();
            default:
                throw new NotSupportedException($"{field.FullName}: {field.FieldType}");
        }
    }

    private static byte[] Bytes(string name, Prng random)
    {
        var length = name switch
        {
            "id" or "ids" or "position" or "operation" or "cluster" or "salt" => 16,
            "node_id" or "node" or "members" or "proposer" or "ticket" or "node_nonce" => 32,
            _ => random.Below(90),
        };
        if (random.Below(15) == 0)
            length = random.Below(64);
        var bytes = new byte[length];
        var fill = (byte)random.Below(4); // Few values, so that messages often mean the same nodes and ids.
        Array.Fill(bytes, fill);
        return bytes;
    }

    private static string Text(string name, Prng random)
    {
        if (name == "address")
            return random.Below(6) == 0
                ? Addresses[random.Below(Addresses.Length)]
                : $"127.0.0.1:{random.Below(65_536)}";
        if (random.Below(6) == 0)
            return Texts[random.Below(Texts.Length)];
        return name is "key" ? "acct/alice" : name is "set" ? "mbox/alice" : "alice";
    }

    private static ulong Number(string name, Prng random)
    {
        if (random.Below(8) == 0)
            return Numbers[random.Below(Numbers.Length)];
        return name switch
        {
            "bits" => 7,
            "prefix" => 0x5a,
            "generation" => 0,
            _ => (ulong)random.Below(4),
        };
    }

    /// <summary>Parses and does nothing else.</summary>
    /// <remarks>Google.Protobuf adds a length near 2^31 to its position unchecked and then stumbles, where it means to
    /// refuse a truncated message. That is its refusal, and only what it throws itself is turned into one
    /// here.</remarks>
    /// <exception cref="InvalidDataException">The library stumbled.</exception>
    public static T Parse<T>(MessageParser<T> parser, byte[] bytes)
        where T : IMessage<T>
    {
        try
        {
            return parser.ParseFrom(bytes);
        }
        catch (Exception e) when (e is ArgumentOutOfRangeException or IndexOutOfRangeException)
        {
            throw new InvalidDataException("not a message", e);
        }
    }

    /// <summary>For the failure text.</summary>
    public static string Show(IMessage message) =>
        new StringBuilder().Append(message.Descriptor.Name).Append(' ')
            .Append(Convert.ToHexString(message.ToByteArray())).ToString();
}
