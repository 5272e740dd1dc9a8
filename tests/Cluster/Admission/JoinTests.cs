using ChordChat.Node.Base;
using ChordChat.Node.Commands;
using ChordChat.Node.Identity;
using ChordChat.Node.Operations;
using ChordChat.Tests.Cluster.Nodes;
using Xunit;

namespace ChordChat.Tests.Cluster.Admission;

/// <summary>docs/operations.md#the-same-at-all-nodes: no folder can be started before it has the settings of the
/// cluster.</summary>
public sealed class JoinTests : IAsyncLifetime
{
    private readonly Founded _cluster = Founded.Of(1);
    private TellingNode _node = null!;

    private string Folder => _cluster.Cluster.NodeFolder("n2");

    private string Genesis => Path.Combine(Folder, GenesisFile.FileName);

    public async Task InitializeAsync() => _node = await TellingNode.StartAsync(_cluster.Identity("n1"));

    public async Task DisposeAsync()
    {
        await _node.DisposeAsync();
        await _cluster.DisposeAsync();
    }

    [Fact]
    public async Task Who_joins_and_is_not_told_the_settings_is_refused_and_has_no_folder()
    {
        var refused = await RefusedAsync(TimeSpan.FromMilliseconds(100));

        Assert.Equal(ExitCode.Unreachable, refused.Code);
        Assert.Contains("did not tell its settings", refused.Message, StringComparison.Ordinal);
        Assert.Contains("the token is used up", refused.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Folder));
    }

    /// <summary>As when the disk is full, or the process is killed.</summary>
    [Fact]
    public async Task A_join_that_cannot_write_the_settings_leaves_no_folder_that_can_be_started()
    {
        _node.Says[OperatorEndpoints.SettingsPath] = Closed;
        Directory.CreateDirectory(Path.Combine(Folder, "appsettings.json"));

        var refused = await RefusedAsync(TimeSpan.FromMinutes(1));

        Assert.Equal(ExitCode.Storage, refused.Code);
        Assert.Contains("the token is used up", refused.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(Genesis));
    }

    [Fact]
    public async Task Who_joins_has_the_settings_also_when_they_are_told_late()
    {
        var joining = JoinAsync(TimeSpan.FromMinutes(1));
        await Condition.UntilAsync(
            "it has asked for the settings", TimeSpan.FromMinutes(1), () => Task.FromResult(_node.AskedCount >= 3));
        _node.Says[OperatorEndpoints.SettingsPath] = Closed;

        var (folder, said) = await joining;

        Assert.Equal(Folder, folder);
        Assert.Contains("Chat:Registration Closed", Assert.Single(said), StringComparison.Ordinal);
        Assert.Equal("n2", NodeIdentity.Read(folder).Self.Name);
        Assert.Equal("Closed", NodeSettings.Layer(folder, new Dictionary<string, string?>())["Chat:Registration"]);
    }

    private static Dictionary<string, string> Closed => new(ClusterSettings.Default.Values)
    {
        ["Chat:Registration"] = "Closed",
    };

    private Task<StartRefusedException> RefusedAsync(TimeSpan patience) =>
        Assert.ThrowsAsync<StartRefusedException>(() => JoinAsync(patience));

    private Task<(string Folder, IReadOnlyList<string> Said)> JoinAsync(TimeSpan patience)
    {
        using var authority = _cluster.Cluster.OpenAuthority();
        var (now, trust) = (DateTimeOffset.UtcNow, _cluster.Identity("n1").Trust);
        var identity = _cluster.Cluster.Enrol(authority, null, now);
        var token = JoinToken.Create(now.AddMinutes(15), trust, identity.Name, _node.Address);
        var bundle = new JoinBundle(identity, _cluster.Cluster.ReadGenesisFile(), _cluster.Cluster.ReadSecret());
        _node.Says["/authority"] = trust.Authority.RawData;
        _node.Says[$"/join/{token.BundleId}"] = bundle.Seal(token);
        return JoinCommand.JoinAsync(token, _cluster.Folder, null, patience, CancellationToken.None);
    }
}
