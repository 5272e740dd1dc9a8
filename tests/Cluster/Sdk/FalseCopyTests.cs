using ChordChat.Crypto.Sessions;
using ChordChat.Sdk.Profiles;
using ChordChat.Tests.Cluster.Nodes;
using ChordChat.Wire;
using Google.Protobuf;
using Xunit;

namespace ChordChat.Tests.Cluster.Sdk;

/// <summary>docs/e2e.md, Session: nodes that speak of a copy of the profile where there is none.</summary>
public sealed class FalseCopyTests : IAsyncLifetime, IDisposable
{
    /// <summary>More than a client would bear of a true copy.</summary>
    private const int EndingsCount = 5;

    private readonly FakeCluster _cluster = new();
    private FakeNode _n1 = null!;
    private Person _alice = null!;

    public async Task InitializeAsync()
    {
        _n1 = await _cluster.AddNodeAsync("n1");
        await _cluster.AddNodeAsync("n2");
        _alice = await Person.RegisterAsync("alice", _n1);
    }

    public async Task DisposeAsync()
    {
        await _alice.DisposeAsync();
        foreach (var node in _cluster.Nodes.Values)
            await node.DisposeAsync();
    }

    public void Dispose() => _cluster.Dispose();

    [Fact]
    public Task Without_a_proof_it_is_the_nodes_fault() => LieAsync(_ => null);

    [Fact]
    public Task The_clients_own_hellos_prove_nothing() => LieAsync(session => session.Hello);

    [Fact]
    public Task Not_even_earlier_ones_of_its_own() => LieAsync(_ => HellosOf("alice").First());

    [Fact]
    public async Task A_hello_of_another_user_proves_nothing()
    {
        await using var bob = await Person.RegisterAsync("bob", _n1);
        await LieAsync(_ =>
        {
            // As late as can be.
            bob.Client.Start();
            return Condition.UntilAsync(
                "bob is here", Person.Patience, () => Task.FromResult(HellosOf("bob").Any())).ContinueWith(
                _ => HellosOf("bob").Last(), TaskScheduler.Default).Result;
        });
    }

    [Fact]
    public Task A_damaged_proof_is_none() => LieAsync(session =>
    {
        var later = session.Hello.ClientNonce.ToByteArray();
        later[0] = 0x7f;
        return new NewerSession(session.Hello) { ClientNonce = ByteString.CopyFrom(later) };
    });

    /// <summary>Its clock is ahead of this client's, or it is closed since then.</summary>
    [Fact]
    public Task A_hello_of_a_true_copy_counts_once()
    {
        NewerSession? shown = null;
        return LieAsync(_ => shown ??= HelloOfCopy());
    }

    private NewerSession HelloOfCopy()
    {
        using var profile = Profile.Open(_alice.Folder);
        using var me = profile.Unlock(Person.Password);
        var device = me.RequireDevice();
        var nodeNonce = new byte[SessionProof.NonceBytes];
        var nonce = HelloNonce.New(DateTimeOffset.UtcNow.AddHours(1).ToUnixTimeMilliseconds());
        return new()
        {
            NodeId = ByteString.CopyFrom(_n1.Id),
            NodeNonce = ByteString.CopyFrom(nodeNonce),
            ClientNonce = ByteString.CopyFrom(nonce),
            Signature = ByteString.CopyFrom(SessionProof.Sign(
                device.Signing, _cluster.Id, _n1.Id, "alice", device.Epoch, nodeNonce, nonce)),
        };
    }

    private async Task LieAsync(Func<FakeSession, NewerSession?> proof)
    {
        _alice.Client.Start();
        FakeSession? last = null;
        for (var i = 0; i <= EndingsCount; i++)
        {
            await Condition.UntilAsync(
                $"alice has a session after {i} endings", Person.Patience,
                () => Task.FromResult(_cluster.Sessions.TryGetValue("alice", out var now) && now != last));
            Assert.False(_alice.IsCopied);
            last = _cluster.Sessions["alice"];
            if (i < EndingsCount)
                last.EndAsSameDevice(proof(last));
        }
    }

    private IEnumerable<NewerSession> HellosOf(string user) =>
        _cluster.Hellos.Where(one => one.User == user).Select(one => one.Hello);
}
