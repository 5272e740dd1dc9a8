using ChordChat.Sdk;
using ChordChat.Sdk.Accounts;
using ChordChat.Sdk.Profiles;
using Grpc.Core;
using Xunit;

namespace ChordChat.Tests.Cluster.Sdk;

/// <summary>A registration of which nobody knows whether it took effect is not called a failure, and is finished by the
/// next try.</summary>
public sealed class UnfinishedRegistrationTests : IAsyncLifetime, IDisposable
{
    private static readonly RpcException MayHaveHappened =
        new(new Status(StatusCode.Unavailable, "it is not known whether this took effect"));

    private static readonly RpcException ChangedNothing = new(
        new Status(StatusCode.Unavailable, "1 of the 2 nodes that are needed answered"),
        new Metadata { { "changed", "no" } });

    private readonly FakeCluster _cluster = new();
    private readonly string _folder = Person.NewFolder();
    private FakeNode _node = null!;

    public async Task InitializeAsync() => _node = await _cluster.AddNodeAsync("n1");

    public async Task DisposeAsync() => await _node.DisposeAsync();

    public void Dispose() => _cluster.Dispose();

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public async Task The_next_try_finishes_it_with_the_same_keys(bool tookEffect, bool byLogin)
    {
        _cluster.RegistrationFault = (MayHaveHappened, tookEffect);
        Assert.Equal("undecided", await FailAsync(accounts => accounts.RegisterAsync("anna", Person.Password)));
        _cluster.RegistrationFault = null;

        using var profile = Profile.Open(_folder);
        using var accounts = await AgreedAsync(profile);
        await accounts.CheckNameIsFreeAsync("anna"); // Its own name is not "taken".
        using var me = byLogin
            ? await accounts.LogInAsync("anna", Person.Password)
            : await accounts.RegisterAsync("anna", Person.Password);

        var account = _cluster.Accounts["anna"];
        Assert.Equal(account.Log!.Head.Hash, me.Device!.Log.Head.Hash);
        Assert.Equal(0u, account.Log.Head.Seq);
        await using var client = new ChatClient(me, Person.Search(_node));
        client.Start();
        while (await client.Events.ReadAsync(new CancellationTokenSource(Person.Patience).Token)
            is not ClientEvent.Connected)
        {
        }
    }

    [Fact]
    public async Task A_name_that_somebody_else_got_meanwhile_is_taken_and_the_folder_is_free_again()
    {
        _cluster.RegistrationFault = (MayHaveHappened, TakesEffect: false);
        Assert.Equal("undecided", await FailAsync(accounts => accounts.RegisterAsync("anna", Person.Password)));
        Assert.Equal("other_profile", await FailAsync(accounts => accounts.RegisterAsync("bert", Person.Password)));
        _cluster.RegistrationFault = null;
        await using var other = await Person.RegisterAsync("anna", _node);

        Assert.Equal("taken_name", await FailAsync(accounts => accounts.RegisterAsync("anna", Person.Password)));

        using var profile = Profile.Open(_folder);
        using var accounts = await AgreedAsync(profile);
        using var bert = await accounts.RegisterAsync("bert", Person.Password);
    }

    [Fact]
    public async Task A_registration_that_changed_nothing_leaves_nothing()
    {
        _cluster.RegistrationFault = (ChangedNothing, TakesEffect: false);
        Assert.Equal("unavailable", await FailAsync(accounts => accounts.RegisterAsync("anna", Person.Password)));
        using var profile = Profile.Open(_folder);
        Assert.Null(profile.Unfinished);
    }

    [Fact]
    public async Task Once_it_is_not_known_a_later_try_that_changed_nothing_proves_nothing()
    {
        _cluster.RegistrationFault = (MayHaveHappened, TakesEffect: true);
        Assert.Equal("undecided", await FailAsync(accounts => accounts.RegisterAsync("anna", Person.Password)));
        _cluster.RegistrationFault = (ChangedNothing, TakesEffect: false);
        Assert.Equal("undecided", await FailAsync(accounts => accounts.LogInAsync("anna", Person.Password)));
        Assert.Equal("wrong_password", await FailAsync(
            accounts => accounts.RegisterAsync("anna", "five other words suffice too")));
    }

    /// <summary>Its keys are in this profile only.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task After_an_unanswered_try_one_node_that_calls_the_name_taken_is_not_believed(bool byLogin)
    {
        await using var other = await _cluster.AddNodeAsync("n2");
        _cluster.RegistrationFault = (MayHaveHappened, TakesEffect: true);
        Assert.Equal("undecided", await FailAsync(accounts => accounts.RegisterAsync("anna", Person.Password)));
        _cluster.RegistrationFault = null;
        _cluster.RefuseRegistration = node =>
            new RpcException(new Status(node == _node ? StatusCode.AlreadyExists : StatusCode.Internal, "so it says"));
        Assert.Equal("undecided", await FailAsync(accounts => accounts.RegisterAsync("anna", Person.Password)));

        _cluster.RefuseRegistration = node =>
            node == _node ? new RpcException(new Status(StatusCode.AlreadyExists, "so it says")) : null;
        using var profile = Profile.Open(_folder);
        using var accounts = await AgreedAsync(profile);
        using var me = byLogin
            ? await accounts.LogInAsync("anna", Person.Password)
            : await accounts.RegisterAsync("anna", Person.Password);
        Assert.Equal(_cluster.Accounts["anna"].Log!.Head.Hash, me.Device!.Log.Head.Hash);
        Assert.Equal(0u, me.Device.Log.Head.Seq);
    }

    private async Task<Accounts> AgreedAsync(Profile profile)
    {
        var accounts = new Accounts(profile, Person.Search(_node)) { Keys = _cluster.KeySource };
        await accounts.GreetAsync();
        accounts.Agree();
        return accounts;
    }

    private async Task<string> FailAsync(Func<Accounts, Task<UnlockedProfile>> attempt)
    {
        using var profile = Profile.Open(_folder);
        using var accounts = await AgreedAsync(profile);
        return (await Assert.ThrowsAsync<ChordChatException>(() => attempt(accounts))).Code;
    }
}
