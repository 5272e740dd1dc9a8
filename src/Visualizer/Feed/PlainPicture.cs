using ChordChat.Wire;

namespace ChordChat.Visualizer.Feed;

/// <summary>Makes what a node says of the ring and of a lookup safe for the page to draw: the page computes with places
/// and times, and a node may send any.</summary>
/// <remarks>docs/security.md, The page that shows the ring. Each method changes its argument.</remarks>
internal static class PlainPicture
{
    private const int PlaceDigits = 32;
    private const int EventsMax = 200;
    private const int HopsMax = 128;

    /// <summary>More than any ring has, few enough for a page that compares each with each.</summary>
    private const int NodesMax = 4_096;
    private const int TilesMax = 65_536;
    private const int FingersMax = 128;
    private const int UsersMax = 500;
    private const double MsMax = 1e6;

    /// <summary>Well within what a page can turn into a date.</summary>
    private static readonly long AtMsMax = DateTimeOffset.MaxValue.ToUnixTimeMilliseconds();

    /// <summary>Leaves out nodes and tiles that lie nowhere; shows the rest within bounds.</summary>
    public static void Make(Snapshot snapshot)
    {
        snapshot.Cluster = NodeWords.Text(snapshot.Cluster);
        snapshot.SeenBy = NodeWords.Name(snapshot.SeenBy);
        snapshot.AtMs = AtMs(snapshot.AtMs);
        Keep(snapshot.Nodes, node => IsPlace(node.Position), NodesMax);
        Keep(snapshot.Tiles, tile => IsPlace(tile.Start) && IsPlace(tile.End), TilesMax);
        while (snapshot.Events.Count > EventsMax)
            snapshot.Events.RemoveAt(0);
        foreach (var node in snapshot.Nodes)
        {
            node.Name = NodeWords.Name(node.Name);
            node.Id = NodeWords.Text(node.Id);
            node.Address = NodeWords.Text(node.Address);
            node.SinceMs = AtMs(node.SinceMs);
            Keep(node.Successors, IsPlace, NodeWords.ListMax);
            Keep(node.Fingers, finger => IsPlace(finger.Position), FingersMax);
            Keep(node.Users, _ => true, UsersMax);
            for (var i = 0; i < node.Users.Count; i++)
                node.Users[i] = NodeWords.Text(node.Users[i]);
        }

        foreach (var tile in snapshot.Tiles)
        {
            (tile.Tile, tile.Phase) = (NodeWords.Text(tile.Tile), NodeWords.Text(tile.Phase));
            Keep(tile.Members, IsPlace, NodeWords.ListMax);
        }

        foreach (var happened in snapshot.Events)
        {
            happened.AtMs = AtMs(happened.AtMs);
            happened.Kind = NodeWords.Text(happened.Kind);
            happened.Node = NodeWords.Text(happened.Node);
            happened.Text = NodeWords.Text(happened.Text);
        }
    }

    /// <returns>Whether the name lies somewhere, so that there is anything to draw.</returns>
    public static bool TryMake(TraceReply trace)
    {
        trace.Tile = NodeWords.Text(trace.Tile);
        Keep(trace.Members, IsPlace, NodeWords.ListMax);
        Keep(trace.Hops, hop => IsPlace(hop.Position), HopsMax);
        foreach (var hop in trace.Hops)
        {
            hop.Name = NodeWords.Name(hop.Name);
            hop.Why = NodeWords.Text(hop.Why);
            hop.Ms = double.IsFinite(hop.Ms) ? Math.Clamp(hop.Ms, 0, MsMax) : 0;
        }

        return IsPlace(trace.Position);
    }

    private static bool IsPlace(string said) => said.Length == PlaceDigits && said.All(char.IsAsciiHexDigit);

    private static long AtMs(long said) => Math.Clamp(said, 0, AtMsMax);

    private static void Keep<T>(IList<T> list, Func<T, bool> isSound, int most)
    {
        var sound = list.Where(isSound).Take(most).ToList();
        if (sound.Count == list.Count)
            return;
        list.Clear();
        foreach (var one in sound)
            list.Add(one);
    }
}
