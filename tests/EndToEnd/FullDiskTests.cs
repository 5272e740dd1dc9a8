using System.Text.Json;
using Xunit;

namespace ChordChat.Tests.EndToEnd;

/// <summary>One node's folder lies on a disk of 12 MiB, which fills up while people chat.</summary>
public sealed class FullDiskTests
{
    private const int Bulk = 30;

    [MountFact]
    public async Task A_node_whose_disk_is_full_stops_with_a_reason_and_nothing_that_was_kept_is_lost()
    {
        await using var cluster = await LocalCluster.StartAsync(3);
        var (alice, bob) = (new Person(cluster, "alice"), new Person(cluster, "bob"));
        await Task.WhenAll(alice.RegisterAsync("n3"), bob.RegisterAsync("n2"));
        await using var disk = await SmallDisk.MoveToAsync(cluster, "n3");
        await cluster.StartupAsync();
        await alice.DoAsync(["send", "bob", "-"], "n3", Texts("before", 5));

        await disk.FillAsync();
        var full = await alice.DoAsync(["send", "bob", "-", "--timeout", "60"], null, Texts("during", Bulk));

        Assert.All(full, sent => Assert.Equal("kept", sent.GetProperty("state").GetString()));
        Assert.DoesNotContain("n3", NodesOf(full[^1]));
        await cluster.GoneAsync("n3");
        Assert.Contains(
            "the disk is full: make room, then start this node again",
            await File.ReadAllTextAsync(Path.Combine(cluster.Home, "run", "n3.log")), StringComparison.Ordinal);

        disk.MakeRoom();
        await cluster.StartupAsync();
        // Without n1, what is read comes from n2 and from the node whose disk was full.
        await cluster.KillAsync("n1");
        var read = await bob.DoAsync(["tail", "--count", $"{5 + Bulk}", "--timeout", "90"], "n3");
        Assert.Equal(
            [.. Texts("before", 5).Split('\n'), .. Texts("during", Bulk).Split('\n')],
            read.Select(message => message.GetProperty("text").GetString()!));
        await bob.DoAsync(["send", "alice", "all there"], "n3");
    }

    private static IEnumerable<string?> NodesOf(JsonElement sent) =>
        sent.GetProperty("copies").EnumerateArray().Select(node => node.GetString());

    /// <summary>Texts of 32 KB each, so that a hundred of them would not fit.</summary>
    private static string Texts(string what, int count) =>
        string.Join('\n', Enumerable.Range(0, count).Select(i => $"{what} {i} {new string('.', 32_000)}"));

    /// <summary>A file system in memory, mounted over one node's folder of this test's own temporary cluster.</summary>
    private sealed class SmallDisk(LocalCluster cluster, string node) : IAsyncDisposable
    {
        private const int Bytes = 12 * 1024 * 1024;
        private const int FreeBytes = 256 * 1024;

        private readonly string _folder = Path.Combine(cluster.Home, "nodes", node);

        private string Filler => Path.Combine(_folder, "filler");

        public static async Task<SmallDisk> MoveToAsync(LocalCluster cluster, string node)
        {
            await cluster.KillAsync(node);
            var disk = new SmallDisk(cluster, node);
            var aside = Path.Combine(cluster.Home, "aside");
            Directory.Move(disk._folder, aside);
            Directory.CreateDirectory(disk._folder);
            await MountFactAttribute.MountAsync(disk._folder, Bytes);
            foreach (var file in Directory.GetFiles(aside))
                File.Copy(file, Path.Combine(disk._folder, Path.GetFileName(file)));
            return disk;
        }

        /// <summary>Somebody else's data takes all but a quarter of a megabyte.</summary>
        public async Task FillAsync()
        {
            var free = new DriveInfo(_folder).AvailableFreeSpace;
            await File.WriteAllBytesAsync(Filler, new byte[free - FreeBytes]);
        }

        public void MakeRoom() => File.Delete(Filler);

        public async ValueTask DisposeAsync()
        {
            await cluster.StopAsync();
            await MountFactAttribute.UnmountAsync(_folder);
        }
    }
}
