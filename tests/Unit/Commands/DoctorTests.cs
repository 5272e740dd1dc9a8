using System.Globalization;
using System.Security.Cryptography;
using ChordChat.Node.Commands;
using ChordChat.Node.Identity;
using ChordChat.Node.Storage;
using ChordChat.Tests.Unit.Base;
using Xunit;

namespace ChordChat.Tests.Unit.Commands;

/// <summary>docs/operations.md, "Looking at it": the doctor changes nothing.</summary>
public sealed class DoctorTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly string _n1;

    public DoctorTests()
    {
        new ClusterFolder(_folder.Path).Create(
            new(["n1", "n2"], 1, SessionPolicy.Takeover, false), DateTimeOffset.UtcNow);
        _n1 = _folder["nodes/n1"];
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_database_of_a_node_that_was_stopped_is_only_read()
    {
        DataFolder.Open(_n1).Dispose();
        Leaves(_n1, Verdict.Ok, "sound");
    }

    [Fact]
    public void What_a_crash_has_left_in_the_log_of_the_database_stays_there()
    {
        var crashed = _folder["nodes/n1 with? 100%#"];
        using (DataFolder.Open(_n1))
        {
            Directory.CreateDirectory(crashed);
            foreach (var file in Directory.GetFiles(_n1).Where(file => Path.GetFileName(file) != DataFolder.LockFile))
                File.Copy(file, Path.Combine(crashed, Path.GetFileName(file)));
        }

        Assert.NotEqual(0, new FileInfo(Path.Combine(crashed, NodeDatabase.FileName + "-wal")).Length);
        Leaves(crashed, Verdict.Ok, "sound");
        using var folder = DataFolder.Open(crashed);
        Assert.Equal(2ul, folder.Incarnation); // The first start is not forgotten.
    }

    [Fact]
    public void A_database_that_no_node_has_written_to_yet_stays_empty()
    {
        File.WriteAllBytes(Path.Combine(_n1, NodeDatabase.FileName), []);
        Leaves(_n1, Verdict.Ok, "none yet");
    }

    [Fact]
    public void Another_nodes_database_and_a_damaged_one_are_named()
    {
        DataFolder.Open(_n1).Dispose();
        DataFolder.Open(_folder["nodes/n2"]).Dispose();
        var (own, other) = (Path.Combine(_n1, NodeDatabase.FileName), _folder["nodes/n2/chordchat.db"]);
        File.Copy(other, own, overwrite: true);
        Leaves(_n1, Verdict.Fail, "another node's");
        File.WriteAllText(own, new string('x', 5000));
        Leaves(_n1, Verdict.Fail, "damaged");
    }

    [Fact]
    public void Others_who_can_read_the_database_or_enter_the_folder_are_named()
    {
        if (OperatingSystem.IsWindows())
            return;
        DataFolder.Open(_n1).Dispose();
        Assert.Equal(Verdict.Ok, PrivacyOf(_n1).Verdict);
        File.SetUnixFileMode(_n1, (UnixFileMode)Convert.ToInt32("755", 8));
        Assert.Equal(Verdict.Warn, PrivacyOf(_n1).Verdict);
        File.SetUnixFileMode(Path.Combine(_n1, NodeDatabase.FileName), (UnixFileMode)Convert.ToInt32("644", 8));
        var finding = PrivacyOf(_n1);
        Assert.Equal(Verdict.Fail, finding.Verdict);
        Assert.Contains(NodeDatabase.FileName, finding.Text, StringComparison.Ordinal);
    }

    private static Finding PrivacyOf(string data)
    {
        FolderChecks.Identity(data, out var findings);
        return Assert.Single(findings, finding => finding.What == "privacy");
    }

    private static void Leaves(string data, Verdict verdict, string text)
    {
        var before = Files(data);
        var finding = FolderChecks.Database(data, NodeIdentity.Read(data), running: false);
        Assert.True(verdict == finding.Verdict, finding.Text);
        Assert.Contains(text, finding.Text, StringComparison.Ordinal);
        Assert.Equal(before, Files(data));
    }

    /// <summary>Each with what is in it and when it was written.</summary>
    private static string[] Files(string data) =>
    [
        .. new DirectoryInfo(data).GetFiles().OrderBy(file => file.Name, StringComparer.Ordinal).Select(file =>
            string.Create(
                CultureInfo.InvariantCulture,
                $"{file.Name} {file.LastWriteTimeUtc.Ticks} "
                + $"{Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(file.FullName)))}")),
    ];
}
