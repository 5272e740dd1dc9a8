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
    private const double MsMax = 1e6;

    /// <summary>Well within what a page can turn into a date.</summary>
    private static readonly long AtMsMax = DateTimeOffset.MaxValue.ToUnixTimeMilliseconds();

    /// <summary>Leaves out nodes and tiles that lie nowhere; shows the rest within bounds.</summary>
    public static void Make(Snapshot snapshot)
    {
        snapshot.Cluster = NodeWords.Text(snapshot.Cluster);
        snapshot.SeenBy = NodeWords.Name(snapshot.SeenBy);
        snapshot.AtMs = AtMs(snapshot.AtMs);
        Keep(snapshot.Nodes, node => IsPlace(node.Position));
        Keep(snapshot.Tiles, tile => IsPlace(tile.Start) && IsPlace(tile.End));
        while (snapshot.Events.Count > EventsMax)
            snapshot.Events.RemoveAt(0);
        foreach (var node in snapshot.Nodes)
        {
            node.Name = NodeWords.Name(node.Name);
            node.Id = NodeWords.Text(node.Id);
            node.Address = NodeWords.Text(node.Address);
            node.SinceMs = AtMs(node.SinceMs);
            for (var i = 0; i < node.Users.Count; i++)
                node.Users[i] = NodeWords.Text(node.Users[i]);
        }

        foreach (var tile in snapshot.Tiles)
            (tile.Tile, tile.Phase) = (NodeWords.Text(tile.Tile), NodeWords.Text(tile.Phase));
        foreach (var happened in snapshot.Events)
        {
            happened.AtMs = AtMs(happened.AtMs);
            happened.Kind = NodeWords.Text(happened.Kind);
            happened.Node = NodeWords.Text(happened.Node);
            happened.Text = NodeWords.Text(happened.Text);
        }
    }

    /// <inheritdoc cref="Make(Snapshot)"/>
    public static void Make(TraceReply trace)
    {
        trace.Position = NodeWords.Text(trace.Position);
        trace.Tile = NodeWords.Text(trace.Tile);
        Keep(trace.Members, IsPlace);
        while (trace.Members.Count > NodeWords.ListMax)
            trace.Members.RemoveAt(trace.Members.Count - 1);
        Keep(trace.Hops, hop => IsPlace(hop.Position));
        while (trace.Hops.Count > HopsMax)
            trace.Hops.RemoveAt(trace.Hops.Count - 1);
        foreach (var hop in trace.Hops)
        {
            hop.Name = NodeWords.Name(hop.Name);
            hop.Why = NodeWords.Text(hop.Why);
            hop.Ms = double.IsFinite(hop.Ms) ? Math.Clamp(hop.Ms, 0, MsMax) : 0;
        }
    }

    private static bool IsPlace(string said) => said.Length == PlaceDigits && said.All(char.IsAsciiHexDigit);

    private static long AtMs(long said) => Math.Clamp(said, 0, AtMsMax);

    private static void Keep<T>(IList<T> list, Func<T, bool> isSound)
    {
        var sound = list.Where(isSound).ToList();
        if (sound.Count == list.Count)
            return;
        list.Clear();
        foreach (var one in sound)
            list.Add(one);
    }
}
