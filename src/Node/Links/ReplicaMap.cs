using System.Collections.Immutable;
using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using ChordChat.Node.Base;
using ChordChat.Wire;
using Google.Protobuf;
using Google.Protobuf.Collections;

namespace ChordChat.Node.Links;

/// <summary>The small parts that replica calls are made of: Core on one side, Wire on the other.</summary>
/// <remarks>Reading throws <see cref="MalformedException"/> for whatever Core could not have written.</remarks>
internal static class ReplicaMap
{
    public static readonly Empty Nothing = new();

    /// <summary>Members in a configuration: as many as an operation can count.</summary>
    private const int MembersMax = 64;

    private const int NameMax = 256;
    private const int UserMax = 64;
    private const int ContentBytesMax = 2 << 20;

    /// <summary>A number that only grows, by one at a time: no honest one gets here, and the next is still
    /// one.</summary>
    private const ulong CounterMax = 1UL << 62;

    /// <summary>Rounds go further, so that one at the limit of other numbers can be outbid.</summary>
    private static ulong Round(ulong number) =>
        number <= Ballot.RoundMax ? number : throw new MalformedException("round");

    public static bool IsCounter(ulong number) => number <= CounterMax;

    public static ulong Counter(ulong number) =>
        IsCounter(number) ? number : throw new MalformedException("number");

    /// <summary>The name of a register or a set: printable ASCII.</summary>
    public static string ToName(this string name) =>
        name.Length is > 0 and <= NameMax && !name.AsSpan().ContainsAnyExceptInRange(' ', '~')
            ? name : throw new MalformedException("name");

    /// <summary>What a register or a message holds.</summary>
    public static ReadOnlyMemory<byte> ToContent(this ByteString bytes) =>
        bytes.Length <= ContentBytesMax ? bytes.Memory : throw new MalformedException("length of a content");

    public static WireTileEpoch ToWire(this TileEpoch at) => new()
    {
        Bits = (uint)at.Tile.Bits,
        Prefix = at.Tile.Prefix,
        Generation = at.Generation,
        Epoch = at.Epoch,
    };

    public static TileEpoch ToCore(this WireTileEpoch? at) =>
        at is { Bits: <= TileId.BitsMax } && (ulong)at.Prefix >> (int)at.Bits == 0
            ? new(new TileId((int)at.Bits, at.Prefix), Counter(at.Generation), Counter(at.Epoch))
            : throw new MalformedException("tile");

    public static WireBallot ToWire(this Ballot ballot) => new()
    {
        Epoch = ballot.Epoch,
        Round = ballot.Round,
        Proposer = ballot == default ? ByteString.Empty : ballot.Proposer.ToWire(),
        Incarnation = ballot.Incarnation,
    };

    public static Ballot ToCore(this WireBallot? ballot) => ballot switch
    {
        null => throw new MalformedException("ballot"),
        { Epoch: 0, Round: 0, Proposer.Length: 0 } => default,
        _ => new(
            Counter(ballot.Epoch), Round(ballot.Round), ballot.Proposer.ToNodeId(), Counter(ballot.Incarnation)),
    };

    public static WireConfiguration ToWire(this TileConfiguration configuration) => new()
    {
        At = configuration.At.ToWire(),
        Members = { configuration.Members.Select(member => member.ToWire()) },
        Splits = { configuration.Splits },
    };

    public static TileConfiguration ToCore(this WireConfiguration? configuration) =>
        configuration is { Members.Count: > 0 } ? Read(configuration) : throw new MalformedException("configuration");

    /// <summary>The configuration before: of a generation that began with nothing it has no members.</summary>
    public static TileConfiguration? ToCoreOrNull(this WireConfiguration? configuration) =>
        configuration is null ? null : Read(configuration);

    private static TileConfiguration Read(WireConfiguration configuration)
    {
        if (configuration.Members.Count > MembersMax)
            throw new MalformedException("configuration");
        var at = configuration.At.ToCore();
        var members = configuration.Members.Select(member => member.ToNodeId()).ToImmutableArray();
        return members.Distinct().Count() == members.Length && IsHistory(configuration.Splits, at)
            ? new(at.Tile, at.Generation, at.Epoch, members) { Splits = [.. configuration.Splits] }
            : throw new MalformedException("configuration");
    }

    /// <summary>Each part of a tile begins where the tile ended, after the epoch that both have in common.</summary>
    private static bool IsHistory(RepeatedField<ulong> splits, TileEpoch at) => splits.Count <= at.Tile.Bits
        && splits.Zip(splits.Skip(1)).All(pair => pair.First < pair.Second)
        && (splits.Count == 0 || (splits[0] > 0 && splits[^1] <= at.Epoch));

    /// <summary>The configuration that came before <paramref name="next"/>, if it was named.</summary>
    public static TileConfiguration? Before(this WireConfiguration? previous, TileConfiguration next) =>
        previous.ToCoreOrNull() is not { } known ? null
        : known.Tile == next.Tile && next.IsNewerThan(known) ? known
        : throw new MalformedException("previous configuration");

    /// <summary>The configuration right after that of <paramref name="at"/>.</summary>
    public static TileConfiguration After(this WireConfiguration? next, TileEpoch at) =>
        next.ToCore() is { } known && known.Follows(at) ? known : throw new MalformedException("next configuration");

    public static ByteString ToWire(this NodeId node) => UnsafeByteOperations.UnsafeWrap(node.ToBytes());

    public static NodeId ToNodeId(this ByteString bytes) =>
        bytes.Length == 32 ? NodeId.FromBytes(bytes.Span) : throw new MalformedException("node id");

    public static string ToUser(this string name) =>
        name.Length is > 0 and <= UserMax ? name : throw new MalformedException("user name");

    public static string ToUserOrNobody(this string name) => name.Length == 0 ? "" : name.ToUser();

    public static ByteString ToWire(this MessageId id) => UnsafeByteOperations.UnsafeWrap(id.ToBytes());

    public static MessageId ToMessageId(this ByteString bytes) =>
        bytes.Length == 16 ? MessageId.FromBytes(bytes.Span) : throw new MalformedException("message id");

    public static ByteString ToWire(this ReadOnlyMemory<byte> bytes) => UnsafeByteOperations.UnsafeWrap(bytes);

    public static WireCursor ToWire(this TileCursor cursor)
    {
        var wire = new WireCursor { Entries = cursor.Entries, Id = cursor.Id.ToWire() };
        if (cursor.Name is not null)
            wire.Name = cursor.Name;
        return wire;
    }

    public static TileCursor ToCore(this WireCursor? cursor) => cursor is null
        ? throw new MalformedException("cursor")
        : new(cursor.Entries, cursor.HasName ? cursor.Name.ToName() : null, cursor.Id.ToMessageId());
}
