using ChordChat.Sdk;
using ChordChat.Sdk.Profiles;
using Google.Protobuf;
using Grpc.Core;
using Xunit;

namespace ChordChat.Tests.Cluster.Sdk;

/// <summary>docs/e2e.md, Passwords: one node's word decides neither how a password is stretched nor that it is wrong.
/// </summary>
public sealed class FalseParametersTests : TwoFakeNodes
{
    private const string Mistyped = "five random words suffices";

    /// <summary>Everybody else calls what comes of them a wrong password.</summary>
    [Fact]
    public async Task A_login_with_parameters_that_one_node_made_up_goes_on_with_those_of_another()
    {
        await RegisterAsync();
        GiveFalseSalt();
        await using var alice = await (await Person.LogInAsync("alice", Person.NewFolder(), N1)).OnlineAsync();
        Assert.Equal(2u, Cluster.Accounts["alice"].Log!.Head.Epoch);
        Assert.Single(Cluster.WrongSecrets);
    }

    [Fact]
    public async Task A_profile_that_knows_its_parameters_sends_nothing_that_comes_of_others()
    {
        var folder = await RegisterAsync();
        ForgetDevice(folder);
        GiveFalseSalt();
        await using var alice = await (await Person.LogInAsync("alice", folder, N1)).OnlineAsync();
        Assert.Equal(2u, Cluster.Accounts["alice"].Log!.Head.Epoch);
        Assert.Empty(Cluster.WrongSecrets);
    }

    /// <summary>Each wrong guess counts, and after five the user has to wait.</summary>
    [Fact]
    public async Task A_mistyped_password_goes_to_one_node_only()
    {
        await RegisterAsync();
        Assert.Equal("wrong_password", (await FailAsync(Mistyped)).Code);
        Assert.Single(Cluster.WrongSecrets);
    }

    [Fact]
    public async Task A_mistyped_password_stays_wrong_when_another_node_gives_false_parameters()
    {
        await RegisterAsync();
        GiveFalseSalt(N2);
        Assert.Equal("wrong_password", (await FailAsync(Mistyped)).Code);
        Assert.Single(Cluster.WrongSecrets, N1);
    }

    [Fact]
    public async Task Who_hears_that_the_password_is_wrong_hears_which_node_says_so()
    {
        await RegisterAsync();
        Cluster.AnswerLogIn = (node, _) =>
        {
            if (node == N1)
                throw new RpcException(new Status(StatusCode.Unauthenticated, "so it says"));
        };
        var failed = await FailAsync(Person.Password);
        Assert.Equal("wrong_password", failed.Code);
        Assert.Contains($"n1 at {N1.Address}", failed.Hint, StringComparison.Ordinal);
        Assert.Contains("--node", failed.Hint, StringComparison.Ordinal);
        await using var n3 = await Cluster.AddNodeAsync("n3"); // N1 shows no key log to compare either.
        await using var alice = await (await Person.LogInAsync("alice", Person.NewFolder(), N2)).OnlineAsync();
    }

    private async Task<string> RegisterAsync()
    {
        await using var alice = await Person.RegisterAsync("alice", N2);
        return alice.Folder;
    }

    private Task<ChordChatException> FailAsync(string password) => Assert.ThrowsAsync<ChordChatException>(
        () => Person.LogInAsync("alice", Person.NewFolder(), N1, password));

    private void GiveFalseSalt(FakeNode? liar = null) => Cluster.GiveKdf = (node, given) =>
    {
        if (node == (liar ?? N1))
            given.Salt = ByteString.CopyFrom(new byte[given.Salt.Length]);
    };

    private static void ForgetDevice(string folder)
    {
        using var profile = Profile.Open(folder);
        using var me = profile.Unlock(Person.Password);
        me.ForgetDevice(me.OwnLog);
    }
}
