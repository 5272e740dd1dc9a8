using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using ChordChat.Wire;
using State = ChordChat.Wire.NodeView.Types.State;

namespace ChordChat.Tests.Browser.Fakes;

/// <summary>One member of a scripted ring.</summary>
internal sealed record FakeMember(
    string Name, UInt128 Position, string Address, State State, IReadOnlyList<string> Users);

/// <summary>
/// A ring as it would be once all pointers are right: successors, fingers, tiles with two backups and the way of a
/// lookup, computed from nothing but the members. It keeps the contract of view.proto and has no time in it.
/// </summary>
internal static class FakeRing
{
    private static readonly long StartedMs = DateTimeOffset.UtcNow.AddMinutes(-42).ToUnixTimeMilliseconds();

    private const int TileBits = 7;
    private const int Copies = 3;

    public static UInt128 PointOf(string text) =>
        UInt128.Parse(Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..32],
            NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    public static Snapshot SnapshotOf(IReadOnlyList<FakeMember> members, string seenBy, IEnumerable<ViewEvent> events)
    {
        var standing = Standing(members);
        var tiles = Enumerable.Range(0, 1 << TileBits).Select(i => TileOf(i, standing)).ToArray();
        var snapshot = new Snapshot
        {
            Cluster = "5b1e0c77d2a94f0e8c3376a1f4e2d913",
            SeenBy = seenBy,
            AtMs = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(),
        };
        snapshot.Nodes.AddRange(members.Select(member => NodeOf(member, standing, tiles)));
        snapshot.Tiles.AddRange(tiles);
        snapshot.Events.AddRange(events);
        return snapshot;
    }

    public static TraceReply Trace(IReadOnlyList<FakeMember> members, string from, string name)
    {
        var standing = Standing(members);
        var key = PointOf(name);
        var tile = TileOf((int)(key >> (128 - TileBits)), standing);
        var owner = standing.First(member => Hex(member.Position) == tile.Members[0]);
        var reply = new TraceReply { Position = Hex(key), Tile = tile.Tile, Members = { tile.Members } };
        var at = standing.First(member => member.Name == from);
        var why = "start";
        while (true)
        {
            var ms = 0.6 * reply.Hops.Count;
            reply.Hops.Add(new TraceHop { Position = Hex(at.Position), Name = at.Name, Why = why, Ms = ms });
            if (at == owner)
                return reply;
            (at, why) = NextHop(at, key, owner, standing);
        }
    }

    private static (FakeMember Next, string Why) NextHop(
        FakeMember at, UInt128 key, FakeMember owner, FakeMember[] standing)
    {
        for (var i = 127; i >= 0; i--)
        {
            var finger = Successor(unchecked(at.Position + (UInt128.One << i)), standing);
            if (finger != at && unchecked(finger.Position - at.Position) < unchecked(key - at.Position))
                return (finger, $"finger {i}");
        }

        return (owner, "owner");
    }

    private static NodeView NodeOf(FakeMember member, FakeMember[] standing, TileView[] tiles)
    {
        var position = Hex(member.Position);
        var others = Clockwise(member.Position, standing).Where(other => other != member).ToArray();
        var view = new NodeView
        {
            Name = member.Name,
            Id = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(member.Name))),
            Position = position,
            Address = member.Address,
            State = member.State,
            OwnRecords = (ulong)(tiles.Count(tile => tile.Members[0] == position) * 11),
            BackupRecords = (ulong)(tiles.Count(tile => tile.Members.Skip(1).Contains(position)) * 11),
            Sessions = (uint)member.Users.Count,
            SinceMs = StartedMs,
            Predecessor = others.Length == 0 ? position : Hex(others[^1].Position),
        };
        view.Users.AddRange(member.Users);
        view.Successors.AddRange(others.Take(4).Select(other => Hex(other.Position)));
        view.Fingers.AddRange(Enumerable.Range(0, 128).Select(i => new FingerView
        {
            Index = (uint)i,
            Position = Hex(Successor(unchecked(member.Position + (UInt128.One << i)), standing).Position),
        }));
        return view;
    }

    private static TileView TileOf(int index, FakeMember[] standing)
    {
        var start = (UInt128)(uint)index << (128 - TileBits);
        return new TileView
        {
            Tile = string.Create(CultureInfo.InvariantCulture, $"{index * 2:x2}/{TileBits}"),
            Start = Hex(start),
            End = Hex(start + (UInt128.One << (128 - TileBits)) - 1),
            Epoch = 1,
            Phase = "active",
            Members = { Clockwise(start, standing).Take(Copies).Select(member => Hex(member.Position)) },
        };
    }

    private static FakeMember[] Standing(IReadOnlyList<FakeMember> members) =>
        [.. members.Where(member => member.State is not State.Dead)];

    private static IEnumerable<FakeMember> Clockwise(UInt128 from, FakeMember[] standing) =>
        standing.OrderBy(member => unchecked(member.Position - from));

    private static FakeMember Successor(UInt128 point, FakeMember[] standing) =>
        standing.MinBy(member => unchecked(member.Position - point))!;

    private static string Hex(UInt128 value) => value.ToString("x32", CultureInfo.InvariantCulture);
}
