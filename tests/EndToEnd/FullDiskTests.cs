using System.Diagnostics;
using System.Text.Json;
using Xunit;

namespace ChordChat.Tests.EndToEnd;

/// <summary>docs/protocol.md#room-on-the-disk: one node's folder lies on a small disk, which fills up while people
/// chat.</summary>
public sealed class FullDiskTests
{
    private const int Bulk = 30;
    private const int MiB = 1 << 20;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [MountFact]
    public async Task A_node_whose_disk_is_nearly_full_goes_on_and_takes_new_messages_when_there_is_room()
    {
        await using var cluster = await LocalCluster.StartAsync(3);
        var (alice, bob) = (new Person(cluster, "alice"), new Person(cluster, "bob"));
        await Task.WhenAll(alice.RegisterAsync("n3"), bob.RegisterAsync("n2"));
        await using var disk = await SmallDisk.MoveToAsync(cluster, "n3", 64 * MiB); // 8 MiB in reserve.
        await cluster.StartupAsync();
        await alice.DoAsync(["send", "bob", "-"], "n3", Texts("before", 5));

        await disk.FillAsync(leftBytes: 7 * MiB);
        await SaysAsync(cluster, "keeps no new messages");
        var full = await alice.DoAsync(["send", "bob", "-", "--timeout", "60"], "n3", Texts("during", Bulk));
        Assert.All(full, sent => Assert.Equal("kept", sent.GetProperty("state").GetString()));
        Assert.All(full, sent => Assert.DoesNotContain("n3", NodesOf(sent)));
        var read = await bob.DoAsync(["tail", "--count", $"{5 + Bulk}", "--timeout", "90"], "n3");
        Assert.Equal(BeforeAndDuring, read.Select(TextOf));
        Assert.DoesNotContain("so it stops", LogOf(cluster), StringComparison.Ordinal);

        disk.MakeRoom();
        await SaysAsync(cluster, "there is room on the disk again");
        var (waited, keepers) = (Stopwatch.StartNew(), Array.Empty<string?>());
        while (!keepers.Contains("n3") && waited.Elapsed < Patience)
            keepers = [.. NodesOf((await alice.DoAsync(["send", "bob", "after"], "n3"))[^1])];
        Assert.Contains("n3", keepers);
    }

    /// <summary>Without a reserve, as when others fill the disk to the last byte.</summary>
    [MountFact]
    public async Task A_node_whose_disk_is_full_stops_with_a_reason_and_nothing_that_was_kept_is_lost()
    {
        await using var cluster = await LocalCluster.StartAsync(3);
        var (alice, bob) = (new Person(cluster, "alice"), new Person(cluster, "bob"));
        await Task.WhenAll(alice.RegisterAsync("n3"), bob.RegisterAsync("n2"));
        await using var disk = await SmallDisk.MoveToAsync(
            cluster, "n3", 12 * MiB, """{"Storage": {"ReserveBytes": 0}}""");
        await cluster.StartupAsync();
        await alice.DoAsync(["send", "bob", "-"], "n3", Texts("before", 5));

        await disk.FillAsync(leftBytes: MiB / 4);
        var full = await alice.DoAsync(["send", "bob", "-", "--timeout", "60"], null, Texts("during", Bulk));

        Assert.All(full, sent => Assert.Equal("kept", sent.GetProperty("state").GetString()));
        Assert.DoesNotContain("n3", NodesOf(full[^1]));
        await cluster.GoneAsync("n3");
        Assert.Contains(
            "the disk is full: make room, then start this node again", LogOf(cluster), StringComparison.Ordinal);

        disk.MakeRoom();
        await cluster.StartupAsync();
        // Without n1, what is read comes from n2 and from the node whose disk was full.
        await cluster.KillAsync("n1");
        var read = await bob.DoAsync(["tail", "--count", $"{5 + Bulk}", "--timeout", "90"], "n3");
        Assert.Equal(BeforeAndDuring, read.Select(TextOf));
        await bob.DoAsync(["send", "alice", "all there"], "n3");
    }

    private static IEnumerable<string> BeforeAndDuring =>
        [.. Texts("before", 5).Split('\n'), .. Texts("during", Bulk).Split('\n')];

    private static string TextOf(JsonElement message) => message.GetProperty("text").GetString()!;

    private static IEnumerable<string?> NodesOf(JsonElement sent) =>
        sent.GetProperty("copies").EnumerateArray().Select(node => node.GetString());

    private static string LogOf(LocalCluster cluster) => File.ReadAllText(Path.Combine(cluster.Home, "run", "n3.log"));

    private static async Task SaysAsync(LocalCluster cluster, string what)
    {
        for (var waited = Stopwatch.StartNew(); !LogOf(cluster).Contains(what, StringComparison.Ordinal);)
        {
            Assert.True(waited.Elapsed < Patience, $"n3 never said: {what}");
            await Task.Delay(100);
        }
    }

    /// <summary>Texts of 32 KB each, so that a hundred of them would not fit.</summary>
    private static string Texts(string what, int count) =>
        string.Join('\n', Enumerable.Range(0, count).Select(i => $"{what} {i} {new string('.', 32_000)}"));

    /// <summary>A file system in memory, mounted over one node's folder of this test's own temporary cluster.</summary>
    private sealed class SmallDisk(LocalCluster cluster, string node) : IAsyncDisposable
    {
        private readonly string _folder = Path.Combine(cluster.Home, "nodes", node);

        private string Filler => Path.Combine(_folder, "filler");

        public static async Task<SmallDisk> MoveToAsync(
            LocalCluster cluster, string node, int bytes, string? settings = null)
        {
            await cluster.KillAsync(node);
            var disk = new SmallDisk(cluster, node);
            var aside = Path.Combine(cluster.Home, "aside");
            Directory.Move(disk._folder, aside);
            Directory.CreateDirectory(disk._folder);
            await MountFactAttribute.MountAsync(disk._folder, bytes);
            foreach (var file in Directory.GetFiles(aside))
                File.Copy(file, Path.Combine(disk._folder, Path.GetFileName(file)));
            if (settings is not null)
                await File.WriteAllTextAsync(Path.Combine(disk._folder, "appsettings.json"), settings);
            return disk;
        }

        /// <summary>Somebody else's data takes all but so much.</summary>
        public async Task FillAsync(int leftBytes)
        {
            var free = new DriveInfo(_folder).AvailableFreeSpace;
            await File.WriteAllBytesAsync(Filler, new byte[free - leftBytes]);
        }

        public void MakeRoom() => File.Delete(Filler);

        public async ValueTask DisposeAsync()
        {
            await cluster.StopAsync();
            await MountFactAttribute.UnmountAsync(_folder);
        }
    }
}
