using ChordChat.Node.Chat;
using ChordChat.Node.Tiles;
using ChordChat.Wire;
using Grpc.Core;
using Xunit;

namespace ChordChat.Tests.Cluster.Chat;

/// <summary>docs/protocol.md#invitations.</summary>
public sealed class InvitationTests : IAsyncLifetime
{
    private readonly ChatCluster _cluster = new(
        2, options: ChatCluster.Quick with { Registration = RegistrationRule.Invitation });

    public Task InitializeAsync() => _cluster.InitializeAsync();

    public Task DisposeAsync() => _cluster.DisposeAsync();

    [Fact]
    public async Task An_invitation_makes_one_account_however_often_it_is_shown()
    {
        var code = Code();
        var (anna, bert) = (Invited("anna", code), Invited("bert", code));

        await RegisterAsync(anna, 0);
        await RegisterAsync(anna, 1); // A retry.

        Assert.Equal("invitation_wrong", await ReasonAsync(bert, 0));
        Assert.Equal("invitation_wrong", await ReasonAsync(bert, 1));
        await RegisterAsync(Invited("bert", Code()), 1);
    }

    [Fact]
    public async Task Of_two_who_show_it_at_two_nodes_at_the_same_moment_one_gets_an_account()
    {
        for (var round = 0; round < 5; round++)
        {
            var code = Code();
            var names = new[] { $"anna{round}", $"bert{round}" };
            var answers = await Task.WhenAll(names.Select(async (name, node) =>
            {
                try
                {
                    await RegisterAsync(Invited(name, code), node);
                    return "registered";
                }
                catch (RpcException refused)
                {
                    return refused.Trailers.GetValue("reason");
                }
            }));

            Assert.Equal(["invitation_wrong", "registered"], answers.Order());
            var free = await Task.WhenAll(names.Select(IsFreeAsync));
            Assert.Single(free, isFree => isFree);
        }
    }

    [Fact]
    public async Task Without_a_good_invitation_nothing_is_registered_and_no_name_is_found_out()
    {
        await RegisterAsync(Invited("anna", Code()), 0);
        var good = Code();
        var foreign = InvitationCode.New(
            Enumerable.Repeat((byte)1, 32).ToArray(), DateTimeOffset.UtcNow.AddDays(1)).ToString();
        var used = Code();
        await RegisterAsync(Invited("bert", used), 0);
        var changed = (good[0] == 'f' ? 'e' : 'f') + good[1..];

        foreach (var name in new[] { "anna", "carl" })
        {
            Assert.Equal("invitation_needed", await ReasonAsync(Invited(name, ""), 0));
            foreach (var bad in new[] { "x", foreign, used, changed, good + "00", new string('0', 100_000) })
                Assert.Equal("invitation_wrong", await ReasonAsync(Invited(name, bad), 0));
            Assert.Equal(
                CheckNameReply.Types.State.Unknown,
                (await _cluster.Client(0).CheckNameAsync(new() { User = name })).State);
        }

        var late = InvitationCode.New(new byte[32], DateTimeOffset.UtcNow.AddMinutes(-1)).ToString();
        Assert.Equal("invitation_expired", await ReasonAsync(Invited("carl", late), 0));
        Assert.Equal("invitation_expired", await ReasonAsync(Invited("anna", late), 0));
        Assert.True(await IsFreeAsync("carl"));
        await RegisterAsync(Invited("carl", good.ToUpperInvariant().Replace("-", "  ", StringComparison.Ordinal)), 0);
    }

    [Fact]
    public async Task Without_a_majority_an_invitation_is_not_used_up()
    {
        var carl = Invited("carl", Code());
        _cluster.Replication.IsCut = true;
        Assert.Null(await ReasonAsync(carl, 0));
        _cluster.Replication.IsCut = false;
        await RegisterAsync(carl, 1);
    }

    [Fact]
    public async Task Who_has_used_an_invitation_and_finds_no_majority_then_is_not_told_that_nothing_was_changed()
    {
        var code = Code();
        var carl = Invited("carl", code);
        _cluster.Replication.CutsAtChangeOf = RegisterKey.Account("carl");
        var undecided = await Assert.ThrowsAsync<RpcException>(() => RegisterAsync(carl, 0));
        Assert.Equal(StatusCode.Unavailable, undecided.StatusCode);
        Assert.Null(undecided.Trailers.GetValue("changed"));
        Assert.Null(undecided.Trailers.GetValue("reason"));

        _cluster.Replication.IsCut = false;
        Assert.Equal("invitation_wrong", await ReasonAsync(Invited("dora", code), 1));
        await RegisterAsync(carl, 1);
    }

    private static string Code() => InvitationCode.New(new byte[32], DateTimeOffset.UtcNow.AddDays(1)).ToString();

    private static RegisterRequest Invited(string name, string code) =>
        new(new ChatUser(name).Registration()) { Invitation = code };

    private async Task RegisterAsync(RegisterRequest request, int node) =>
        await _cluster.Client(node).RegisterAsync(request);

    private async Task<string?> ReasonAsync(RegisterRequest request, int node) =>
        (await Assert.ThrowsAsync<RpcException>(() => RegisterAsync(request, node))).Trailers.GetValue("reason");

    private async Task<bool> IsFreeAsync(string name) =>
        await _cluster.Get<Accounts>(0).IsUnknownAsync(name, CancellationToken.None);
}
