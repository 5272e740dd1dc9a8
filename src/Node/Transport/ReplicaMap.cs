using System.Collections.Immutable;
using ChordChat.Core.Replication;
using ChordChat.Core.Ring;
using ChordChat.Wire;
using Google.Protobuf;

namespace ChordChat.Node.Transport;

/// <summary>The small parts that replica calls are made of: Core on one side, Wire on the other.</summary>
/// <remarks>Reading throws <see cref="MalformedException"/> for whatever Core could not have written.</remarks>
internal static class ReplicaMap
{
    public static readonly Empty Nothing = new();

    public static WireTileEpoch ToWire(this TileEpoch at) => new()
    {
        Bits = (uint)at.Tile.Bits,
        Prefix = at.Tile.Prefix,
        Generation = at.Generation,
        Epoch = at.Epoch,
    };

    public static TileEpoch ToCore(this WireTileEpoch? at) =>
        at is { Bits: <= TileId.BitsMax } && (ulong)at.Prefix >> (int)at.Bits == 0
            ? new(new TileId((int)at.Bits, at.Prefix), at.Generation, at.Epoch)
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
        _ => new(ballot.Epoch, ballot.Round, ballot.Proposer.ToNodeId(), ballot.Incarnation),
    };

    public static WireConfiguration ToWire(this TileConfiguration configuration) => new()
    {
        At = configuration.At.ToWire(),
        Members = { configuration.Members.Select(member => member.ToWire()) },
    };

    public static TileConfiguration ToCore(this WireConfiguration? configuration)
    {
        if (configuration is null || configuration.Members.Count is 0 or > byte.MaxValue)
            throw new MalformedException("configuration");
        var at = configuration.At.ToCore();
        var members = configuration.Members.Select(member => member.ToNodeId()).ToImmutableArray();
        return new(at.Tile, at.Generation, at.Epoch, members);
    }

    public static TileConfiguration? ToCoreOrNull(this WireConfiguration? configuration) => configuration?.ToCore();

    public static ByteString ToWire(this NodeId node) => UnsafeByteOperations.UnsafeWrap(node.ToBytes());

    public static NodeId ToNodeId(this ByteString bytes) =>
        bytes.Length == 32 ? NodeId.FromBytes(bytes.Span) : throw new MalformedException("node id");

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
        : new(cursor.Entries, cursor.HasName ? cursor.Name : null, cursor.Id.ToMessageId());
}

/// <summary>A peer sent what this version cannot have written; the call had no effect.</summary>
internal sealed class MalformedException(string what) : Exception($"malformed {what}");
