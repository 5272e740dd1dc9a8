using ChordChat.Sdk;
using Google.Protobuf;
using Grpc.Core;
using Xunit;
using KeyLog = ChordChat.Crypto.KeyLogs.KeyLog;

namespace ChordChat.Tests.Cluster.Sdk;

/// <summary>docs/e2e.md, New device: before a login signs anything, another node shows the key log to the same
/// password, and the node that showed it first has no say in that.</summary>
public sealed class NewestLogTests : TwoFakeNodes
{
    private static readonly RpcException Unclear = new(new Status(StatusCode.Internal, "nobody knows"));

    [Theory]
    [InlineData("gives no pass")]
    [InlineData("gives a false pass")]
    [InlineData("hangs when asked for the log")]
    [InlineData("names only itself, the environment another one")]
    [InlineData("names only itself, the cluster file another one")]
    public async Task Nothing_is_signed_on_top_of_the_older_log_of_a_node_that(string evades)
    {
        var first = await RegisterAsync();
        await (await Person.LogInAsync("alice", Person.NewFolder(), N2)).DisposeAsync();
        Cluster.ShowKeys = (node, user) => node == N1 && user == "alice" ? first : null;
        Cluster.HangsKeyLog = (node, _) => node == N1 && evades.StartsWith("hangs", StringComparison.Ordinal);
        Cluster.AnswerLogIn = (node, reply) =>
        {
            if (node == N1 && evades.EndsWith("pass", StringComparison.Ordinal))
                reply.Pass = evades == "gives no pass" ? ByteString.Empty : ByteString.CopyFrom(new byte[40]);
        };
        var search = Person.Search(N1);
        if (evades.StartsWith("names", StringComparison.Ordinal))
        {
            NameOnlyN1();
            search = evades.Contains("file", StringComparison.Ordinal)
                ? search with { ClusterFile = await FileOfN2Async() }
                : search with { FromEnvironment = [N2.Address] };
        }

        await using var alice = await (await Person.LogInAsync(
            "alice", Person.NewFolder(), search, keys: Cluster.KeySource)).OnlineAsync();
        Assert.Equal([1UL, 2], Seen);
        Assert.Equal(3u, Log.Head.Epoch);
    }

    /// <summary>Its answer could have told that the log is older; who showed the log may be the reason why it has none.
    /// </summary>
    [Theory]
    [InlineData(StatusCode.ResourceExhausted, "throttled")]
    [InlineData(StatusCode.FailedPrecondition, "session_live")]
    [InlineData(StatusCode.Unauthenticated, "unavailable")]
    [InlineData(StatusCode.Unavailable, "unavailable")]
    public async Task Nothing_is_signed_while_others_answer_and_none_of_them_shows_the_log(
        StatusCode answer, string code)
    {
        await RegisterAsync();
        Cluster.AnswerLogIn = (node, _) =>
        {
            if (node == N2)
                throw new RpcException(new Status(answer, "not now"));
        };
        var folder = Person.NewFolder();
        var failed = await Assert.ThrowsAsync<ChordChatException>(() => Person.LogInAsync("alice", folder, N1));
        Assert.Equal(code, failed.Code);
        Assert.Empty(Seen);

        await using var n3 = await Cluster.AddNodeAsync("n3");
        await using var alice = await Person.LogInAsync("alice", folder, N1);
        Assert.Equal([1UL], Seen);
    }

    [Fact]
    public async Task Where_no_other_node_can_be_reached_the_one_that_answers_is_enough()
    {
        await RegisterAsync();
        await N2.KillAsync();
        await using var alice = await (await Person.LogInAsync("alice", Person.NewFolder(), N1)).OnlineAsync();
        Assert.Equal(2u, Log.Head.Epoch);
    }

    /// <summary>It kept an entry back that the user signed on another machine and then gave up.</summary>
    [Fact]
    public async Task Nothing_is_signed_where_two_nodes_show_two_logs_of_the_user()
    {
        var first = await RegisterAsync();
        Cluster.PublishFault = node => node == N1 ? (Unclear, false) : null;
        await Assert.ThrowsAsync<ChordChatException>(() => Person.LogInAsync("alice", Person.NewFolder(), N1));
        Cluster.PublishFault = _ => null;
        var rival = first.Append(Cluster.EntriesSeen.Single().Bytes.Span)!;
        var keyring = Cluster.KeyringsSeen.Single();
        await (await Person.LogInAsync("alice", Person.NewFolder(), N2)).DisposeAsync();
        Cluster.ShowKeys = (node, user) => node == N1 && user == "alice" ? rival : null;
        Cluster.AnswerLogIn = (node, reply) =>
            reply.Keyring = node == N1 ? ByteString.CopyFrom(keyring) : reply.Keyring;
        var seen = Seen;

        var failed = await Assert.ThrowsAsync<ChordChatException>(
            () => Person.LogInAsync("alice", Person.NewFolder(), N1));
        Assert.Equal("bad_keyring", failed.Code);
        Assert.Contains("n1 at", failed.Message, StringComparison.Ordinal);
        Assert.Equal(seen, Seen);
    }

    private KeyLog Log => Cluster.Accounts["alice"].Log!;

    /// <summary>The numbers of all entries that were signed for new devices.</summary>
    private List<ulong> Seen => [.. Cluster.EntriesSeen.DistinctBy(entry => entry.Hash).Select(entry => entry.Seq)];

    private async Task<KeyLog> RegisterAsync()
    {
        await (await Person.RegisterAsync("alice", N2)).DisposeAsync();
        return Log;
    }

    private void NameOnlyN1() => Cluster.Introduce = info =>
    {
        foreach (var other in info.Nodes.Where(node => info.NodeName == "n1" && node.Name != "n1").ToList())
            info.Nodes.Remove(other);
    };

    private async Task<string> FileOfN2Async()
    {
        var file = Path.Combine(Directory.CreateDirectory(Person.NewFolder()).FullName, "nodes.json");
        await File.WriteAllTextAsync(file, $$"""{"nodes":[{"name":"n2","address":"{{N2.Address}}"}]}""");
        return file;
    }
}
