using System.CommandLine;
using System.Globalization;
using ChordChat.Node.Base;
using ChordChat.Wire;

namespace ChordChat.Node.Commands;

/// <summary>ring: the circle as one node sees it, as a table.</summary>
internal static class RingCommand
{
    private static readonly TimeSpan AnswerMax = TimeSpan.FromSeconds(10);

    public static Command Create()
    {
        var (data, node) = NodeContact.Options();
        var command = new Command("ring", "Print the ring as a running node sees it, clockwise.") { data, node };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var contact = await NodeContact.OpenAsync(parsed.GetValue(data), parsed.GetValue(node), cancellation);
            var client = new Wire.View.ViewClient(contact.Channel);
            using var watch = client.Watch(
                new WatchRequest(), deadline: DateTime.UtcNow + AnswerMax, cancellationToken: cancellation);
            Snapshot? snapshot = null;
            await contact.CallAsync(async () =>
            {
                if (await watch.ResponseStream.MoveNext(cancellation))
                    snapshot = watch.ResponseStream.Current;
            });
            if (snapshot is null)
                throw new StartRefusedException(ExitCode.Unreachable, $"{contact.Address} ended without an answer.");
            foreach (var line in Lines(snapshot))
                Console.WriteLine(line);
        });
        return command;
    }

    /// <summary>The table: nodes clockwise from the start of the circle.</summary>
    public static IEnumerable<string> Lines(Snapshot snapshot)
    {
        // A node may say anything, even that two nodes have the same place.
        var names = snapshot.Nodes.GroupBy(n => n.Position, n => NodeWords.Name(n.Name))
            .ToDictionary(same => same.Key, same => string.Join('/', same));
        var tiles = snapshot.Tiles.Where(t => t.Members.Count > 0).CountBy(t => t.Members[0]).ToDictionary();
        var rows = snapshot.Nodes.OrderBy(n => n.Position, StringComparer.Ordinal).Select(n => new[]
        {
            NodeWords.Name(n.Name), NodeWords.Text(n.Position[..Math.Min(8, n.Position.Length)]),
            NodeWords.Text(n.Address), n.State.ToString().ToLowerInvariant(),
            names.GetValueOrDefault(n.Predecessor, "-"),
            string.Join(' ', n.Successors.Take(NodeWords.ListMax)
                .Select(s => names.TryGetValue(s, out var name) ? name : NodeWords.Text(s))),
            Text(tiles.GetValueOrDefault(n.Position)), Text(n.OwnRecords), Text(n.BackupRecords), Text(n.Sessions),
        });
        string[] head =
            ["node", "position", "address", "state", "before", "after", "tiles", "own", "backups", "sessions"];
        return Table([head, .. rows])
            .Prepend($"cluster {NodeWords.Text(snapshot.Cluster)}, seen by {NodeWords.Text(snapshot.SeenBy)}");
    }

    /// <summary>Columns as wide as their widest cell, two spaces between.</summary>
    public static IEnumerable<string> Table(IReadOnlyList<string[]> rows)
    {
        var widths = Enumerable.Range(0, rows[0].Length).Select(i => rows.Max(row => row[i].Length)).ToArray();
        return rows.Select(row => string.Join("  ", row.Select((cell, i) => cell.PadRight(widths[i]))).TrimEnd());
    }

    private static string Text(IFormattable number) => number.ToString(null, CultureInfo.InvariantCulture);
}
