using System.Collections.Immutable;
using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;

namespace ChordChat.Tests.Nemesis;

/// <summary>A tile's row in a node's database, read without the node's own code.</summary>
/// <param name="Phase">What the node may do in <paramref name="Configuration"/>.</param>
/// <param name="Pending">The decided next configuration, while the node is still sealed in this one.</param>
/// <param name="Previous">The one before, while somebody may still need it.</param>
internal sealed record TileOnDisk(
    TilePhase Phase, TileConfiguration Configuration, TileConfiguration? Pending, TileConfiguration? Previous)
{
    private const byte Version = 2;
    private const int BallotBytes = 56;

    public TileConfiguration Newest => Pending ?? Configuration;

    /// <exception cref="InvalidDataException">It is of a version that this reader does not know.</exception>
    public static TileOnDisk Read(byte[] header)
    {
        using var reader = new BinaryReader(new MemoryStream(header));
        if (reader.ReadByte() is var version && version != Version)
            throw new InvalidDataException($"a tile header of version {version}; the nemesis reads {Version}");
        var phase = (TilePhase)reader.ReadByte();
        var configuration = ReadConfiguration(reader)!;
        reader.ReadBytes(2 * BallotBytes);
        _ = ReadConfiguration(reader); // What it voted for, perhaps never decided.
        return new(phase, configuration, ReadConfiguration(reader), ReadConfiguration(reader));
    }

    private static TileConfiguration? ReadConfiguration(BinaryReader reader)
    {
        if (!reader.ReadBoolean())
            return null;
        var tile = new TileId(reader.ReadByte(), reader.ReadUInt32());
        var (generation, epoch) = (reader.ReadUInt64(), reader.ReadUInt64());
        ImmutableArray<NodeId> members =
            [.. Enumerable.Range(0, reader.ReadByte()).Select(_ => NodeId.FromBytes(reader.ReadBytes(32)))];
        ImmutableArray<ulong> splits = [.. Enumerable.Range(0, reader.ReadByte()).Select(_ => reader.ReadUInt64())];
        return new(tile, generation, epoch, members) { Splits = splits };
    }
}
