using ChordChat.Node.Identity;
using ChordChat.Tests.Unit.Base;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace ChordChat.Tests.Unit.Identity;

/// <summary>docs/operations.md#a-node-was-stolen.</summary>
public sealed class DenialsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_list_that_cannot_be_stored_is_in_force_at_once_and_is_stored_later()
    {
        var now = DateTimeOffset.UtcNow;
        var cluster = new ClusterFolder(_folder.Path);
        cluster.Create(new(["n1", "n2"], 1, SessionPolicy.Takeover, false), now);
        using var authority = cluster.OpenAuthority();
        cluster.Deny(authority, cluster.NodesToDeny("n2", now));
        var (path, signed) = (_folder["nodes/n1/denied"], cluster.SignedDenyList()!);
        using var data = DataFolder.Open(_folder["nodes/n1"]);
        var log = new LogLines<Denials>((_, id, text) => $"{id} {text}");
        var identity = data.Identity;
        var denials = new Denials(
            identity.Trust, identity.Genesis, data, new(identity.Self, "127.0.0.1:7401", 1, now),
            new ApplicationLifetime(NullLogger<ApplicationLifetime>.Instance), new HastyTime(), log);
        DenyList? told = null;
        denials.Changed += list => told = list;
        Directory.CreateDirectory(path); // In the way of the file.

        Assert.Equal(DenyListVerdict.Taken, denials.Take(signed));

        Assert.Equal((1ul, 1ul), (denials.Number, told?.Number));
        Assert.NotNull(identity.Trust.Denied!.Of(NodeIdentity.Read(_folder["nodes/n2"]).Self.Node));
        Assert.Equal(signed, denials.Signed);
        Assert.Contains(log.Said, line => line.Contains($"{path} cannot be written", StringComparison.Ordinal));
        Assert.Equal(DenyListVerdict.Known, denials.Take(signed));

        Directory.Delete(path);
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        using (new RunningLoop(denials))
            while (!File.Exists(path))
                await Task.Delay(10, patience.Token);
        Assert.Equal(signed, await File.ReadAllBytesAsync(path, patience.Token));
        Assert.Contains(log.Said, line => line.Contains("the deny list is on the disk now", StringComparison.Ordinal));
        Assert.Equal([path], Directory.GetFiles(_folder["nodes/n1"], "denied*"));
    }
}
