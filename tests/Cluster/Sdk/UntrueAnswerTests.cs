using System.Text;
using ChordChat.Sdk;
using ChordChat.Sdk.Accounts;
using ChordChat.Sdk.Nodes;
using ChordChat.Sdk.Profiles;
using ChordChat.Wire;
using Google.Protobuf;
using Xunit;

namespace ChordChat.Tests.Cluster.Sdk;

/// <summary>docs/e2e.md, Session, New device and Known nodes: what one node sends, however odd, ends no client; another
/// node is tried.</summary>
public sealed class UntrueAnswerTests : TwoFakeNodes
{
    [Theory]
    [InlineData(0)]
    [InlineData(31)]
    [InlineData(33)]
    public async Task A_challenge_with_a_nonce_of_another_length_means_try_elsewhere(int length)
    {
        await using var alice = await Person.RegisterAsync("alice", N1);
        Shorten(length);
        alice.Client.Start();
        Assert.Equal("n2", (await alice.SeeAsync<ClientEvent.Connected>()).Node);
    }

    [Fact]
    public async Task A_question_is_answered_by_another_node_when_one_asks_for_a_pass_in_vain()
    {
        string folder;
        await using (var alice = await Person.RegisterAsync("alice", N1))
            folder = alice.Folder;
        Shorten(5);
        using var profile = Profile.Open(folder);
        using var me = profile.Unlock(Person.Password);
        using var lookup = new Lookup(me, Person.Search(N1));
        Assert.False((await lookup.StatusAsync("alice")).Online);
    }

    /// <summary>Addresses that gRPC throws at, and such as stand for other lines in the profile.</summary>
    [Fact]
    public async Task A_node_that_names_what_cannot_be_an_address_ends_no_client_now_or_later()
    {
        string[] strange =
        [
            "[fe80::1%@]:7401", "[fe80::1%\n192.0.2.1:7401 " + new string('A', 64) + "\n]:7401",
            "[fe80::1%a b]:7401", new string('a', 60) + new string('.', 1) + new string('b', 300) + ":7401", "a b:1",
        ];
        Cluster.Introduce = info =>
        {
            foreach (var node in info.Nodes.Where(node => node.Name == "n1"))
                node.Address = strange[0];
            info.Nodes.Add(strange.Select(address => new NodeAddress
            {
                Address = address,
                NodeId = ByteString.CopyFrom(new byte[32]),
            }));
        };
        string folder;
        await using (var alice = await (await Person.RegisterAsync("alice", N1)).OnlineAsync())
            folder = alice.Folder;
        using (var profile = Profile.Open(folder))
            Assert.Equal(
                new HashSet<string>([N1.Address, N2.Address]),
                profile.KnownNodes.Select(node => node.Address).ToHashSet());
        await N1.KillAsync();
        await using var again = await Person.LogInAsync("alice", folder, new NodeSearch { AskNetwork = false });
        await again.OnlineAsync();
    }

    [Fact]
    public async Task A_profile_that_such_an_address_was_written_to_opens_again()
    {
        string folder;
        await using (var alice = await Person.RegisterAsync("alice", N1))
            folder = alice.Folder;
        using (var profile = Profile.Open(folder))
            profile.Store.Write(db => ChordChat.Sdk.Storage.Sql.Execute(
                db, "INSERT OR REPLACE INTO facts (name, value) VALUES ('nodes', $1)",
                Encoding.UTF8.GetBytes($"[fe80::1%@]:7401\n{N2.Address}")));
        await using var again = await Person.LogInAsync("alice", folder, new NodeSearch { AskNetwork = false });
        await again.OnlineAsync();
    }

    [Fact]
    public async Task A_login_that_one_node_answers_without_a_key_log_goes_on_at_another()
    {
        await (await Person.RegisterAsync("alice", N1)).DisposeAsync();
        Cluster.AnswerLogIn = (node, reply) => reply.KeyLog = node == N1 ? null : reply.KeyLog;
        await using var alice = await Person.LogInAsync("alice", Person.NewFolder(), N1);
        Assert.Equal(2u, Cluster.Accounts["alice"].Log!.Head.Epoch);
    }

    [Fact]
    public async Task When_no_node_shows_a_key_log_the_first_is_named()
    {
        await (await Person.RegisterAsync("alice", N1)).DisposeAsync();
        Cluster.AnswerLogIn = (_, reply) => reply.KeyLog = null;
        using var profile = Profile.Open(Person.NewFolder());
        using var accounts = new Accounts(profile, Person.Search(N1));
        await accounts.GreetAsync();
        accounts.Agree();
        var failed = await Assert.ThrowsAsync<ChordChatException>(() => accounts.LogInAsync("alice", Person.Password));
        Assert.Equal("bad_keyring", failed.Code);
        Assert.StartsWith($"n1 at {N1.Address} shows no key log", failed.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_renewal_that_is_shown_no_key_log_says_so_and_can_be_tried_again()
    {
        await using var alice = await (await Person.RegisterAsync("alice", N1)).OnlineAsync();
        using (var profile = Profile.Open(alice.Folder))
            Assert.True(profile.Store.Write(db => Profile.MarkCopied(db, 1)));
        Cluster.AnswerLogIn = (_, reply) => reply.KeyLog = null;
        var failed = await Assert.ThrowsAsync<ChordChatException>(
            () => alice.Client.BecomeNewDeviceAsync(Person.Password));
        Assert.Equal("bad_keyring", failed.Code);
        Cluster.AnswerLogIn = (_, _) => { };
        await alice.Client.BecomeNewDeviceAsync(Person.Password);
        await alice.SeeAsync<ClientEvent.Connected>();
        Assert.Equal(2u, Cluster.Accounts["alice"].Log!.Head.Epoch);
    }

    private void Shorten(int length) => Cluster.Challenge = (node, challenge) =>
    {
        if (node == N1)
            challenge.NodeNonce = ByteString.CopyFrom(new byte[length]);
    };
}
