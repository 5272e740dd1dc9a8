using ChordChat.Core.Tiles;
using ChordChat.Tests.Checkers;
using Microsoft.Data.Sqlite;

namespace ChordChat.Tests.Nemesis;

/// <summary>What the disks of all nodes hold while none of them runs; nobody's word is taken for it.</summary>
internal sealed class PowerOff
{
    private const string MailboxKind = "mbox/";

    private readonly Dictionary<string, MailDisk> _disks = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _names = new(StringComparer.Ordinal);
    private readonly List<(string Node, TileOnDisk Tile)> _tiles = [];

    private PowerOff() { }

    /// <summary>Of each node, by its name.</summary>
    public IReadOnlyDictionary<string, MailDisk> Disks => _disks;

    /// <summary>Reads copies of the databases; the originals stay as the nodes left them.</summary>
    public static PowerOff Read(IEnumerable<Node> nodes, string home)
    {
        var all = new PowerOff();
        foreach (var node in nodes)
        {
            var copy = Directory.CreateDirectory(Path.Combine(home, "power-off")).FullName;
            foreach (var file in (string[])["chordchat.db", "chordchat.db-wal"])
                if (File.Exists(Path.Combine(node.Folder, file)))
                    File.Copy(Path.Combine(node.Folder, file), Path.Combine(copy, file));
            if (File.Exists(Path.Combine(copy, "chordchat.db")))
                all.Add(node.Name, Path.Combine(copy, "chordchat.db"));
            Directory.Delete(copy, recursive: true);
        }

        return all;
    }

    /// <summary>Who keeps somebody's mailbox; null when no disk says it.</summary>
    public MailKeepers? KeepersOf(string user)
    {
        if (NewestOf(user) is not { } newest)
            return null;
        var active = _tiles.Count(one => one.Tile.Configuration == newest && one.Tile.Phase == TilePhase.Active);
        var before = _tiles.Select(one => one.Tile.Pending == newest ? one.Tile.Configuration
            : one.Tile.Configuration == newest ? one.Tile.Previous : null).FirstOrDefault(one => one is not null);
        return new(NamesOf(newest), active < newest.Majority && before is not null ? NamesOf(before) : null);
    }

    /// <summary>The newest configuration of the tile of somebody's mailbox on any disk.</summary>
    public TileConfiguration? NewestOf(string user)
    {
        var point = RowName.PointOf($"{MailboxKind}{user}");
        return _tiles.Select(one => one.Tile.Newest).Where(one => one.Tile.Contains(point))
            .MaxBy(one => (one.Generation, one.Epoch, one.Tile.Bits));
    }

    public IReadOnlyList<string> NamesOf(TileConfiguration configuration) =>
        [.. configuration.Members.Select(member => _names.GetValueOrDefault($"{member}", $"{member}"[..8]))];

    private void Add(string name, string database)
    {
        using var connection = new SqliteConnection(
            new SqliteConnectionStringBuilder { DataSource = database, Pooling = false }.ToString());
        connection.Open();
        var rows = new Dictionary<(string, string), bool>();
        _disks[name] = new(rows);
        Each(connection, "SELECT value FROM meta WHERE key = 'node'", row => _names[row.GetString(0)] = name);
        Each(connection, "SELECT header FROM tiles", row =>
            _tiles.Add((name, TileOnDisk.Read((byte[])row[0]))));
        Each(
            connection,
            "SELECT name, id, content IS NULL FROM entries JOIN sets ON number = set_number WHERE name LIKE 'mbox/%'",
            row => rows[(row.GetString(0)[MailboxKind.Length..], Convert.ToHexStringLower((byte[])row[1]))]
                = row.GetBoolean(2));
    }

    private static void Each(SqliteConnection connection, string sql, Action<SqliteDataReader> take)
    {
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // Constants only.
        command.CommandText = sql;
#pragma warning restore CA2100
        using var rows = command.ExecuteReader();
        while (rows.Read())
            take(rows);
    }
}
