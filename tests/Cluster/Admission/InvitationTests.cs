using ChordChat.Node.Base;
using ChordChat.Node.Identity;
using Xunit;

namespace ChordChat.Tests.Cluster.Admission;

public sealed class InvitationTests : IAsyncLifetime
{
    private static readonly TimeSpan Life = TimeSpan.FromMinutes(15);
    private readonly Founded _cluster = Founded.Of(1);
    private string _address = "";

    public async Task InitializeAsync() => _address = (await _cluster.StartAsync("n1")).Node.Self.Address;

    public async Task DisposeAsync() => await _cluster.DisposeAsync();

    [Fact]
    public async Task One_token_makes_one_machine_a_member()
    {
        var token = await InviteAsync(_cluster);
        var bundle = await Invitation.FetchAsync(token, DateTimeOffset.UtcNow, CancellationToken.None);
        var folder = Path.Combine(_cluster.Folder, "elsewhere");
        bundle.Identity.Write(folder, bundle.Genesis, bundle.Secret);
        var identity = NodeIdentity.Read(folder);
        Assert.Equal("n2", identity.Self.Name);
        Assert.NotNull(_cluster.Identity("n1").Trust.NodeOf(identity.Certificate));
        Assert.Equal(_cluster.Identity("n1").Secret, identity.Secret);
    }

    [Fact]
    public async Task A_token_works_once()
    {
        var token = await InviteAsync(_cluster);
        await Invitation.FetchAsync(token, DateTimeOffset.UtcNow, CancellationToken.None);
        var refused = await RefusedAsync(token, DateTimeOffset.UtcNow);
        Assert.Equal(ExitCode.Unreachable, refused.Code);
        Assert.Contains("used already", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_old_token_is_refused_before_anybody_is_asked()
    {
        var token = await InviteAsync(_cluster);
        Assert.Equal(ExitCode.Usage, (await RefusedAsync(token, DateTimeOffset.UtcNow + Life + Life)).Code);
        await Invitation.FetchAsync(token, DateTimeOffset.UtcNow, CancellationToken.None); // It was not used up.
    }

    [Fact]
    public async Task A_token_is_not_shown_to_a_node_of_another_cluster()
    {
        await using var other = Founded.Of(1);
        var elsewhere = (await other.StartAsync("n1")).Node.Self.Address;
        var token = await InviteAsync(_cluster) with { Address = elsewhere };
        Assert.Equal(ExitCode.Foreign, (await RefusedAsync(token, DateTimeOffset.UtcNow)).Code);
    }

    [Fact]
    public async Task An_invitation_that_cannot_be_made_uses_up_no_name()
    {
        var secret = Path.Combine(_cluster.Folder, "cluster", "secret");
        var text = await File.ReadAllTextAsync(secret);
        File.Delete(secret);
        var refused = await Assert.ThrowsAsync<StartRefusedException>(() => InviteAsync(_cluster));
        Assert.Equal(ExitCode.Damaged, refused.Code);
        await File.WriteAllTextAsync(secret, text);
        Assert.Equal("n2", (await InviteAsync(_cluster)).Name);
    }

    [Fact]
    public async Task An_authority_cannot_invite_to_another_cluster()
    {
        await using var other = Founded.Of(1);
        var refused = await Assert.ThrowsAsync<StartRefusedException>(() => InviteAsync(other));
        Assert.Equal(ExitCode.Unreachable, refused.Code);
    }

    private Task<JoinToken> InviteAsync(Founded by) => Invitation.InviteAsync(
        by.Cluster, _address, null, Life, DateTimeOffset.UtcNow, CancellationToken.None);

    private static Task<StartRefusedException> RefusedAsync(JoinToken token, DateTimeOffset now) =>
        Assert.ThrowsAsync<StartRefusedException>(() => Invitation.FetchAsync(token, now, CancellationToken.None));
}
