using System.Collections.Immutable;
using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;

namespace ChordChat.Node.Storage;

/// <summary>How ballots and tile headers look in the database: fixed field order, little-endian, version
/// first.</summary>
internal static class HeaderFormat
{
    private const byte Version = 2;

    public static byte[] Write(TileHeader header)
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        writer.Write(Version);
        writer.Write((byte)header.Phase);
        Write(writer, header.Configuration);
        Write(writer, header.NextPromised);
        Write(writer, header.NextAcceptedBallot);
        Write(writer, header.NextAccepted);
        Write(writer, header.Pending);
        Write(writer, header.Previous);
        writer.Flush();
        return stream.ToArray();
    }

    /// <exception cref="InvalidDataException">It is not a header that this program knows.</exception>
    public static TileHeader Read(byte[] bytes)
    {
        using var reader = new BinaryReader(new MemoryStream(bytes));
        try
        {
            return Read(reader);
        }
        catch (Exception e) when (e is EndOfStreamException or ArgumentException)
        {
            throw new InvalidDataException("a tile header that ends too early", e);
        }
    }

    private static TileHeader Read(BinaryReader reader)
    {
        if (reader.ReadByte() != Version)
            throw new InvalidDataException("a tile header of a newer version");
        var phase = (TilePhase)reader.ReadByte();
        var configuration = ReadConfiguration(reader) ?? throw new InvalidDataException("a tile header without a tile");
        return new TileHeader(
            configuration, phase, ReadBallot(reader), ReadBallot(reader), ReadConfiguration(reader),
            ReadConfiguration(reader), ReadConfiguration(reader));
    }

    /// <summary>An empty array for "none", otherwise 56 bytes.</summary>
    public static byte[] Write(Ballot ballot)
    {
        if (ballot == default)
            return [];
        using var stream = new MemoryStream(56);
        using var writer = new BinaryWriter(stream);
        Write(writer, ballot);
        writer.Flush();
        return stream.ToArray();
    }

    public static Ballot ReadBallot(byte[] bytes)
    {
        if (bytes.Length == 0)
            return default;
        using var reader = new BinaryReader(new MemoryStream(bytes));
        return ReadBallot(reader);
    }

    private static void Write(BinaryWriter writer, Ballot ballot)
    {
        writer.Write(ballot.Epoch);
        writer.Write(ballot.Round);
        writer.Write(ballot.Proposer.ToBytes());
        writer.Write(ballot.Incarnation);
    }

    private static Ballot ReadBallot(BinaryReader reader) => new(
        reader.ReadUInt64(), reader.ReadUInt64(), NodeId.FromBytes(reader.ReadBytes(32)), reader.ReadUInt64());

    private static void Write(BinaryWriter writer, TileConfiguration? configuration)
    {
        writer.Write(configuration is not null);
        if (configuration is null)
            return;
        writer.Write((byte)configuration.Tile.Bits);
        writer.Write(configuration.Tile.Prefix);
        writer.Write(configuration.Generation);
        writer.Write(configuration.Epoch);
        writer.Write((byte)configuration.Members.Length);
        foreach (var member in configuration.Members)
            writer.Write(member.ToBytes());
        writer.Write((byte)configuration.Splits.Length);
        foreach (var epoch in configuration.Splits)
            writer.Write(epoch);
    }

    private static TileConfiguration? ReadConfiguration(BinaryReader reader)
    {
        if (!reader.ReadBoolean())
            return null;
        var tile = new TileId(reader.ReadByte(), reader.ReadUInt32());
        var (generation, epoch) = (reader.ReadUInt64(), reader.ReadUInt64());
        var members = ImmutableArray.CreateBuilder<NodeId>(reader.ReadByte());
        for (var i = 0; i < members.Capacity; i++)
            members.Add(NodeId.FromBytes(reader.ReadBytes(32)));
        var splits = ImmutableArray.CreateBuilder<ulong>(reader.ReadByte());
        while (splits.Count < splits.Capacity)
            splits.Add(reader.ReadUInt64());
        return new TileConfiguration(tile, generation, epoch, members.ToImmutable())
        {
            Splits = splits.ToImmutable(),
        };
    }
}
