using ChordChat.Crypto;
using ChordChat.Crypto.Passwords;
using ChordChat.Sdk;
using ChordChat.Sdk.Accounts;
using ChordChat.Sdk.Nodes;
using ChordChat.Sdk.Profiles;
using Xunit;

namespace ChordChat.Tests.Cluster.Sdk;

/// <summary>docs/e2e.md, First contact: nothing derived from a password goes to whoever answers first.</summary>
public sealed class FirstContactTests : IAsyncLifetime, IDisposable
{
    private readonly FakeCluster _cluster = new();
    private FakeNode _node = null!;

    public async Task InitializeAsync() => _node = await _cluster.AddNodeAsync("n1");

    public Task DisposeAsync() => _node.DisposeAsync().AsTask();

    public void Dispose() => _cluster.Dispose();

    [Fact]
    public async Task Nothing_secret_is_sent_before_somebody_vouches_for_the_cluster()
    {
        using var profile = Profile.Open(Person.NewFolder());
        using var accounts = new Accounts(profile, Person.Search(_node)) { Keys = _cluster.KeySource };
        Assert.True((await accounts.GreetAsync()).FirstSight);
        Assert.Equal("unknown_cluster", await CodeAsync(() => accounts.LogInAsync("alice", Person.Password)));
        Assert.Equal("unknown_cluster", await CodeAsync(() => accounts.RegisterAsync("alice", Person.Password)));
        Assert.Empty(_cluster.SecretCalls);
        accounts.Agree();
        using var me = await accounts.RegisterAsync("alice", Person.Password);
        Assert.False((await accounts.GreetAsync()).FirstSight);
    }

    /// <summary>The own cluster does not answer, and another one is found: on the network, or at an address that a node
    /// of the own one had.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Where_only_another_cluster_answers_the_client_says_that_its_own_does_not_and_goes_on_looking(
        bool isAtOwnAddress)
    {
        using var other = new FakeCluster();
        await using var stranger = await other.AddNodeAsync("n1");
        string folder;
        await using (var first = await Person.RegisterAsync("alice", _node))
            folder = first.Folder;
        using (var profile = Profile.Open(folder))
            profile.RememberNodes([new(isAtOwnAddress ? stranger.Address : "127.0.0.1:1", "AB")]);
        await using var alice = await Person.LogInAsync("alice", folder, new NodeSearch
        {
            FromEnvironment = [stranger.Address],
            AskNetwork = false,
        });
        alice.Client.Start();
        var reason = (await alice.SeeAsync<ClientEvent.Searching>()).Reason;
        Assert.Equal("unreachable", reason.Code);
        Assert.StartsWith("no node of your cluster answers", reason.Message, StringComparison.Ordinal);
        Assert.Contains(stranger.Address, reason.Message, StringComparison.Ordinal);
        await alice.SeeAsync<ClientEvent.Searching>(); // Once more: it has not ended.
        Assert.Empty(other.SecretCalls);
    }

    /// <summary>docs/security.md, "What a call may cost": many bytes, and many parts in few bytes.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Of_a_node_that_has_proved_nothing_little_is_read(bool isOfParts)
    {
        using var profile = Profile.Open(Person.NewFolder());
        using (var link = await NodeLink.OpenAsync(_node.Address, profile.Trust, CancellationToken.None))
            await link.Chat.GetKdfAsync(new() { User = "alice" });
        Assert.Equal(1, _node.ConnectionCount);
        _cluster.Introduce = info =>
        {
            if (isOfParts)
                info.Nodes.Add(Enumerable.Repeat(new Wire.NodeAddress(), 30_000));
            else
                info.NodeName = new('n', 100_000);
        };
        using var other = Profile.Open(Person.NewFolder());
        await Assert.ThrowsAsync<ChordChatException>(
            () => NodeLink.OpenAsync(_node.Address, other.Trust, CancellationToken.None));
    }

    [Fact]
    public async Task A_fingerprint_vouches_for_its_cluster_and_for_no_other()
    {
        using var other = new FakeCluster();
        await using var stranger = await other.AddNodeAsync("n1");
        using var profile = Profile.Open(Person.NewFolder());
        profile.Trust.Only(ClusterTrust.FingerprintOf(_cluster.Authority.RawData).ToUpperInvariant());
        using (var accounts = new Accounts(profile, Person.Search(stranger)))
            Assert.Equal("foreign_cluster", await CodeAsync(() => accounts.RegisterAsync("alice", Person.Password)));
        Assert.Empty(other.SecretCalls);

        using var right = Profile.Open(Person.NewFolder());
        right.Trust.Only(ClusterTrust.FingerprintOf(_cluster.Authority.RawData));
        using var again = new Accounts(right, Person.Search(_node)) { Keys = _cluster.KeySource };
        using var me = await again.RegisterAsync("alice", Person.Password);
        Assert.Equal(["alice"], _cluster.SecretCalls);
    }

    /// <summary>A stranger on the network answers first, or an older cluster file names a cluster of this machine.
    /// </summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Who_is_not_the_named_cluster_is_passed_over_wherever_it_is_found(bool byFile)
    {
        using var other = new FakeCluster();
        await using var stranger = await other.AddNodeAsync("n1");
        var folder = Directory.CreateDirectory(Person.NewFolder()).FullName;
        var file = Path.Combine(folder, "nodes.json");
        await File.WriteAllTextAsync(
            file,
            $$"""
            {"nodes":[{"name":"n1","address":"{{stranger.Address}}"}],
            "authority":"{{Convert.ToBase64String(other.Authority.RawData)}}"}
            """);
        using var profile = Profile.Open(Person.NewFolder());
        profile.Trust.Only(ClusterTrust.FingerprintOf(_cluster.Authority.RawData));
        var search = byFile
            ? new NodeSearch { FromEnvironment = [_node.Address], ClusterFile = file, AskNetwork = false }
            : Person.Search(stranger, _node);
        using var accounts = new Accounts(profile, search) { Keys = _cluster.KeySource };
        var greeting = await accounts.GreetAsync();
        Assert.Equal(_node.Address, greeting.Address);
        Assert.False(greeting.FirstSight);
        using var me = await accounts.RegisterAsync("alice", Person.Password);
        Assert.Equal(["alice"], _cluster.SecretCalls);
        Assert.Empty(other.SecretCalls);
        Assert.Equal(
            "foreign_cluster",
            Assert.Throws<ChordChatException>(
                () => profile.Trust.Only(ClusterTrust.FingerprintOf(other.Authority.RawData))).Code);
    }

    [Fact]
    public async Task An_id_that_does_not_follow_from_the_authoritys_key_needs_the_certificate_itself()
    {
        using var older = new FakeCluster(ClusterId.New());
        await using var node = await older.AddNodeAsync("n1");
        using (var profile = Profile.Open(Person.NewFolder()))
        using (var accounts = new Accounts(profile, Person.Search(node)) { Keys = older.KeySource })
            Assert.Equal("unbound_cluster", await CodeAsync(accounts.GreetAsync));

        using var named = Profile.Open(Person.NewFolder());
        named.Trust.Only(ClusterTrust.FingerprintOf(older.Authority.RawData));
        using var by = new Accounts(named, Person.Search(node)) { Keys = older.KeySource };
        using var me = await by.RegisterAsync("alice", Person.Password);
        Assert.Equal(older.Id, me.Cluster);
    }

    /// <summary>With the id of another cluster, what is derived from the password would be worth something
    /// there.</summary>
    [Fact]
    public async Task A_node_that_lies_about_the_id_of_a_named_cluster_gets_nothing()
    {
        string folder;
        await using (var alice = await Person.RegisterAsync("alice", _node))
        {
            folder = alice.Folder;
            alice.Client.ForgetDevice();
        }

        var before = _cluster.SecretCalls.Count;
        _cluster.ClaimedId = ClusterId.New();
        using var named = Profile.Open(Person.NewFolder());
        named.Trust.Only(ClusterTrust.FingerprintOf(_cluster.Authority.RawData));
        using var accounts = new Accounts(named, Person.Search(_node)) { Keys = _cluster.KeySource };
        Assert.Equal("unbound_cluster", await CodeAsync(() => accounts.RegisterAsync("bob", Person.Password)));
        Assert.Equal("unbound_cluster", await CodeAsync(() => Person.LogInAsync("alice", folder, _node)));
        Assert.Equal(before, _cluster.SecretCalls.Count);
    }

    [Fact]
    public async Task Nobody_talks_a_client_into_less_stretching_than_before()
    {
        string folder;
        await using (var alice = await Person.RegisterAsync("alice", _node))
        {
            folder = alice.Folder;
            alice.Client.ForgetDevice();
        }

        var before = _cluster.SecretCalls.Count;
        _cluster.KdfIterations = KdfParameters.IterationsMin; // Above the floor, and still less than it was.
        Assert.Equal("bad_parameters", await CodeAsync(() => Person.LogInAsync("alice", folder, _node)));
        Assert.Equal(before, _cluster.SecretCalls.Count);
        _cluster.KdfIterations = null;
        await using var again = await Person.LogInAsync("alice", folder, _node);
    }

    private static async Task<string> CodeAsync<T>(Func<Task<T>> call) =>
        (await Assert.ThrowsAsync<ChordChatException>(async () => await call())).Code;

    private static Task<string> CodeAsync(Func<CancellationToken, Task<ClusterGreeting>> call) =>
        CodeAsync(() => call(CancellationToken.None));
}
