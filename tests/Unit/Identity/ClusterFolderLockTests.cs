using System.Diagnostics;
using ChordChat.Node.Base;
using ChordChat.Node.Identity;
using ChordChat.Tests.Unit.Base;
using Xunit;

namespace ChordChat.Tests.Unit.Identity;

/// <summary>docs/operations.md, "Two commands at once": what one has written is not lost by the other.</summary>
public sealed class ClusterFolderLockTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Invites_at_the_same_time_give_each_node_its_own_name_and_all_are_on_record()
    {
        new ClusterFolder(_folder.Path).Create(
            new(["n1"], 0, SessionPolicy.Takeover, Demo: false), DateTimeOffset.UtcNow);
        var names = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() =>
        {
            var folder = new ClusterFolder(_folder.Path);
            using var authority = folder.OpenAuthority();
            return folder.Enrol(authority, name: null, DateTimeOffset.UtcNow).Name;
        })));
        Assert.Equal(8, names.Distinct().Count());
        var issued = await File.ReadAllLinesAsync(Path.Combine(_folder.Path, "cluster", "issued"));
        Assert.Equal(names.Order(), issued.Select(line => line.Split(' ')[0]).Order());
    }

    [Fact]
    public async Task While_one_command_holds_the_folder_another_one_waits()
    {
        new ClusterFolder(_folder.Path).Create(
            new(["n1"], 0, SessionPolicy.Takeover, Demo: false), DateTimeOffset.UtcNow);
        var first = new ClusterFolder(_folder.Path).Hold();
        var second = Task.Run(() => new ClusterFolder(_folder.Path).Hold());
        await Task.WhenAny(second, Task.Delay(300));
        Assert.False(second.IsCompleted);
        first.Dispose();
        (await second.WaitAsync(TimeSpan.FromSeconds(30))).Dispose();
    }

    /// <summary>Only who waits for another command waits.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_lock_that_cannot_be_opened_is_no_other_command_and_the_text_says_so_at_once(bool isFolder)
    {
        if (OperatingSystem.IsWindows())
            return;
        new ClusterFolder(_folder.Path).Create(
            new(["n1"], 0, SessionPolicy.Takeover, Demo: false), DateTimeOffset.UtcNow);
        var path = _folder["cluster/lock"];
        if (isFolder)
            Directory.CreateDirectory(path); // Access is denied.
        else
            File.CreateSymbolicLink(path, path); // It leads nowhere.
        var begun = Stopwatch.GetTimestamp();
        var refused = Assert.Throws<StartRefusedException>(() => new ClusterFolder(_folder.Path).Hold());
        Assert.True(Stopwatch.GetElapsedTime(begun) < TimeSpan.FromSeconds(20));
        Assert.Equal(ExitCode.Storage, refused.Code);
        Assert.Contains($"{path} cannot be opened for writing", refused.Message, StringComparison.Ordinal);
    }
}
