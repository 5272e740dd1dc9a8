using ChordChat.Node.Base;
using ChordChat.Node.Identity;
using ChordChat.Node.Storage;
using ChordChat.Tests.Unit.Base;
using Xunit;

namespace ChordChat.Tests.Unit.Identity;

public sealed class DataFolderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly string _n1;
    private readonly string _n2;

    public DataFolderTests()
    {
        new ClusterFolder(_folder.Path).Create(
            new(["n1", "n2"], 1, SessionPolicy.Takeover, false), DateTimeOffset.UtcNow);
        (_n1, _n2) = (_folder["nodes/n1"], _folder["nodes/n2"]);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Every_start_is_counted()
    {
        for (var start = 1UL; start <= 3; start++)
        {
            using var folder = DataFolder.Open(_n1);
            Assert.Equal(start, folder.Incarnation);
        }
    }

    [Fact]
    public void What_is_committed_is_fsynced()
    {
        using var folder = DataFolder.Open(_n1);
        Assert.Equal("wal", Ask(folder.Database, "PRAGMA journal_mode"));
        Assert.Equal("2", Ask(folder.Database, "PRAGMA synchronous"));
        Assert.Equal("exclusive", Ask(folder.Database, "PRAGMA locking_mode"));
        Assert.Equal("8192", Ask(folder.Database, "PRAGMA page_size"));
    }

    [Fact]
    public void A_folder_is_one_process()
    {
        using var first = DataFolder.Open(_n1);
        Refused(ExitCode.AlreadyRunning, _n1);
    }

    /// <summary>Whatever the umask is, and whoever has made the folder.</summary>
    [Fact]
    public void The_database_and_the_lock_can_be_read_by_their_owner_only()
    {
        if (OperatingSystem.IsWindows())
            return;
        string[] names = [DataFolder.LockFile, NodeDatabase.FileName, NodeDatabase.FileName + "-wal"];
        for (var start = 0; start < 2; start++)
        {
            using (DataFolder.Open(_n1))
                foreach (var name in names)
                    Assert.Equal(
                        (name, UnixFileMode.UserRead | UnixFileMode.UserWrite),
                        (name, File.GetUnixFileMode(Path.Combine(_n1, name))));
            foreach (var file in names.Select(name => Path.Combine(_n1, name)).Where(File.Exists))
                File.SetUnixFileMode(file, (UnixFileMode)Convert.ToInt32("666", 8)); // As an older program left it.
        }
    }

    [Fact]
    public void A_lock_that_cannot_be_opened_is_no_running_node()
    {
        if (OperatingSystem.IsWindows())
            return;
        var path = Path.Combine(_n1, DataFolder.LockFile);
        File.CreateSymbolicLink(path, path);
        Refused(ExitCode.Storage, _n1);
        File.Delete(path);
        Directory.CreateDirectory(path);
        Refused(ExitCode.Storage, _n1);
    }

    [Fact]
    public void A_folder_that_is_not_a_node_is_named() => Refused(ExitCode.NoNode, _folder.Path);

    [Fact]
    public void Another_nodes_database_is_refused()
    {
        DataFolder.Open(_n1).Dispose();
        DataFolder.Open(_n2).Dispose();
        File.Copy(Path.Combine(_n2, NodeDatabase.FileName), Path.Combine(_n1, NodeDatabase.FileName), overwrite: true);
        Refused(ExitCode.Foreign, _n1);
    }

    [Fact]
    public void A_database_that_is_damaged_where_nobody_looks_is_refused()
    {
        using (var folder = DataFolder.Open(_n1))
            Ask(folder.Database, """
                CREATE TABLE filler (content TEXT);
                WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)
                INSERT INTO filler SELECT hex(randomblob(500)) FROM n;
                """);
        using (var file = File.OpenWrite(Path.Combine(_n1, NodeDatabase.FileName)))
        {
            file.Position = 32 * 4096;
            file.Write([.. Enumerable.Repeat((byte)0xa5, 4096)]);
        }

        Refused(ExitCode.Damaged, _n1);
    }

    [Fact]
    public void A_file_that_is_no_database_is_refused()
    {
        File.WriteAllText(Path.Combine(_n1, NodeDatabase.FileName), new string('x', 5000));
        Refused(ExitCode.Damaged, _n1);
    }

    [Fact]
    public void A_database_of_a_newer_program_is_left_alone()
    {
        using (var folder = DataFolder.Open(_n1))
            Ask(folder.Database, "PRAGMA user_version = 99");
        Refused(ExitCode.Newer, _n1);
    }

    [Fact]
    public void A_node_that_lost_its_database_does_not_come_back_as_itself()
    {
        DataFolder.Open(_n1).Dispose();
        foreach (var file in Directory.GetFiles(_n1, NodeDatabase.FileName + "*"))
            File.Delete(file);
        Refused(ExitCode.Damaged, _n1);
    }

    private static void Refused(ExitCode code, string folder)
    {
        var refused = Assert.Throws<StartRefusedException>(() => DataFolder.Open(folder));
        Assert.True(code == refused.Code, $"{refused.Code}: {refused.Message}");
        Assert.Contains(folder, refused.Message, StringComparison.Ordinal);
    }

    private static string? Ask(NodeDatabase database, string sql)
    {
        using var command = database.Connection.CreateCommand();
#pragma warning disable CA2100 // Constants of this file.
        command.CommandText = sql;
#pragma warning restore CA2100
        return command.ExecuteScalar()?.ToString();
    }
}
