using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using ChordChat.Node;
using ChordChat.Node.Base;
using ChordChat.Node.Chat;
using ChordChat.Node.Commands;
using ChordChat.Node.Identity;
using ChordChat.Node.Links;
using ChordChat.Node.Operations;
using ChordChat.Node.Ring;
using ChordChat.Node.Tiles;
using ChordChat.Tests.Cluster.BadInput;
using ChordChat.Tests.Cluster.Nodes;
using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace ChordChat.Tests.Cluster.Admission;

/// <summary>docs/protocol.md#ring-deny-list, with real nodes.</summary>
public sealed class RevocationTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task A_node_that_is_revoked_while_it_runs_is_told_and_stops_and_the_others_keep_three_copies()
    {
        await using var cluster = await NodeCluster.StartAsync(4);
        var mailbox = FreeRows.Set("bob");
        var ids = Enumerable.Range(0, 20).Select(i => new MessageId((UInt128)i)).ToArray();
        foreach (var id in ids)
            Assert.IsType<AddOutcome.Stored>(await cluster.Sets("n1").AddAsync(
                mailbox, new("", long.MaxValue), id, "sealed"u8.ToArray(), null, CancellationToken.None));
        var stolen = cluster[NameOfAKeeper(cluster, mailbox)];
        var stopped = stolen.WaitForStopAsync();

        Assert.Equal(0, await RevokeAsync(cluster, stolen.Node.Self.Name, at: OtherThan(cluster, stolen)));
        await stopped.WaitAsync(Patience);

        Assert.NotNull(DataOf(cluster, stolen).Trust.Denied!.Of(stolen.Node.Self.Node));
        var left = cluster.Names.Where(name => name != stolen.Node.Self.Name).ToArray();
        await Condition.UntilAsync("three others keep the mailbox", Patience, () => Task.FromResult(left.All(name =>
            Keepers(cluster, name, mailbox) is { Length: 3 } keepers && !keepers.Contains(stolen.Node.Self.Node))));
        foreach (var name in left)
            Assert.Equal(ids, (await ScanAsync(cluster.Sets(name), mailbox)).Order());
        var again = await Assert.ThrowsAsync<StartRefusedException>(() => cluster.StartAsync(stolen.Node.Self.Name));
        Assert.Equal(ExitCode.Revoked, again.Code);
    }

    [Fact]
    public async Task A_node_that_was_away_when_it_was_revoked_hears_of_it_when_it_comes_back()
    {
        await using var cluster = await NodeCluster.StartAsync(4);
        await cluster.StopAsync("n4");
        Assert.Equal(0, await RevokeAsync(cluster, "n4", at: "n1"));

        var back = await cluster.StartAsync("n4");
        await back.WaitForStopAsync().WaitAsync(Patience);
        Assert.DoesNotContain(
            back.Node.Self, cluster.MembersSeenBy("n1").Live);
    }

    [Fact]
    public async Task A_node_that_was_away_when_another_was_revoked_hears_of_it_when_it_comes_back()
    {
        await using var cluster = await NodeCluster.StartAsync(4);
        await cluster.StopAsync("n3");
        Assert.Equal(0, await RevokeAsync(cluster, "n4", at: "n1"));

        await cluster.StartAsync("n3");
        await Condition.UntilAsync("n3 has the list", Patience, () =>
            Task.FromResult(cluster["n3"].Services.GetRequiredService<Denials>().Number == 1));
        await Condition.UntilAsync("n3 calls it gone", Patience, () => Task.FromResult(
            cluster.MembersSeenBy("n3")[cluster["n4"].Node.Self.Node] is not { IsReachable: true }));
    }

    /// <summary>It claims a newer list with each ping, each time at another address where nobody answers.</summary>
    [Fact]
    public async Task A_stolen_node_does_not_keep_its_revocation_from_the_others()
    {
        await using var cluster = await NodeCluster.StartAsync(3);
        var stolen = cluster.Enrol("mallory");
        using var silent = new TcpListener(IPAddress.Any, 0); // The connections wait in its queue.
        silent.Start();
        using var over = new CancellationTokenSource();
        var pinging = PingAsync();
        await Condition.UntilAsync("n2 follows its claims", Patience, () => Task.FromResult(silent.Pending()));

        var folder = new ClusterFolder(cluster.Root);
        using var authority = folder.OpenAuthority();
        folder.Deny(authority, folder.NodesToDeny("mallory", DateTimeOffset.UtcNow));
        cluster["n1"].Services.GetRequiredService<Denials>().Take(folder.SignedDenyList()!);
        await Condition.UntilAsync("n2 has the list", TimeSpan.FromSeconds(40), () =>
            Task.FromResult(cluster["n2"].Services.GetRequiredService<Denials>().Number == 1));
        await over.CancelAsync();
        await pinging;

        async Task PingAsync()
        {
            using var channel = EvilNode.ChannelTo(stolen, cluster.AddressOf("n2"));
            var port = ((IPEndPoint)silent.LocalEndpoint).Port;
            for (var i = 1UL; !over.IsCancellationRequested; i++)
                try
                {
                    var address = $"127.1.{i / 250 % 250}.{1 + (i % 250)}:{port}";
                    await new Wire.Ring.RingClient(channel).PingAsync(
                        new()
                        {
                            From = new Member(stolen.Self.At(address), i, Health.Alive, 0).ToWire(),
                            DenyNumber = 1UL << 60,
                        },
                        deadline: DateTime.UtcNow + Patience);
                    await Task.Delay(5, CancellationToken.None);
                }
                catch (RpcException)
                {
                    return; // It has been revoked.
                }
        }
    }

    [Fact]
    public async Task An_older_list_never_replaces_a_newer_one_and_only_the_operator_may_hand_one_in()
    {
        await using var cluster = Founded.Of(3);
        var address = (await cluster.StartAsync("n1")).Node.Self.Address;
        using var authority = cluster.Cluster.OpenAuthority();
        using var contact = new OperatorContact(authority, denied: null, DateTimeOffset.UtcNow);
        var first = Longer(cluster, authority, "n2");
        var second = Longer(cluster, authority, "n3");

        using var member = new HttpClient(new ClusterTls(cluster.Identity("n2")).CreateHandler(null));
        using var body = new ByteArrayContent(second);
        using (var refused = await member.PutAsync($"https://{address}/denied", body))
            Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);

        await using var other = Founded.Of(1);
        using var stranger = other.Cluster.OpenAuthority();
        Assert.Equal(HttpStatusCode.BadRequest, await PutAsync(Longer(other, stranger, "n1")));
        Assert.Equal(HttpStatusCode.NoContent, await PutAsync(second));
        Assert.Equal(HttpStatusCode.Conflict, await PutAsync(first));
        Assert.Equal(HttpStatusCode.NoContent, await PutAsync(second)); // Once more is no harm.
        Assert.Equal(second, await contact.GetAsync(address, "/denied", CancellationToken.None));

        async Task<HttpStatusCode?> PutAsync(byte[] list) =>
            await contact.PutAsync(address, "/denied", list, CancellationToken.None);
    }

    [Fact]
    public async Task A_denied_certificate_opens_nothing_and_hears_why()
    {
        await using var cluster = Founded.Of(2);
        var node = await cluster.StartAsync("n1");
        using var http = new HttpClient(new ClusterTls(cluster.Identity("n2")).CreateHandler(null));
        using (var before = await http.GetAsync($"https://{node.Node.Self.Address}/healthz"))
            Assert.Equal(HttpStatusCode.OK, before.StatusCode);
        using var authority = cluster.Cluster.OpenAuthority();
        node.Services.GetRequiredService<Denials>().Take(Longer(cluster, authority, "n2"));

        // On a new connection: the open one was ended.
        using var after = await http.GetAsync($"https://{node.Node.Self.Address}/healthz");
        Assert.Equal(HttpStatusCode.Forbidden, after.StatusCode);
        Assert.Contains(
            "revoked by the operator", after.Headers.GetValues(Gate.ReasonHeader).Single(), StringComparison.Ordinal);
        Assert.NotEmpty(await http.GetByteArrayAsync($"https://{node.Node.Self.Address}/denied"));
    }

    [Fact]
    public async Task An_open_connection_ends_when_its_certificate_is_denied()
    {
        await using var cluster = Founded.Of(2);
        var node = await cluster.StartAsync("n1");
        await using var evil = await EvilNode.LinkAsync(cluster.Identity("n2"), node);
        using var authority = cluster.Cluster.OpenAuthority();
        node.Services.GetRequiredService<Denials>().Take(Longer(cluster, authority, "n2"));
        await Task.WhenAny(evil.HungUp, Task.Delay(Patience)); // However it ends.
        Assert.True(evil.HungUp.IsCompleted);
    }

    [Fact]
    public async Task A_running_node_is_renewed_without_a_restart()
    {
        await using var cluster = Founded.Of(2, DateTimeOffset.UtcNow.AddDays(-40));
        var node = await cluster.StartAsync("n1");
        var address = node.Node.Self.Address;
        var before = cluster.Identity("n1");
        using var authority = cluster.Cluster.OpenAuthority();
        Assert.Equal(0, await RenewCommand.RenewAsync(
            cluster.Cluster, authority, ["n1", "n2"], all: false, [address], CancellationToken.None));

        DateTime? shown = null;
        using var handler = new SocketsHttpHandler();
        handler.SslOptions.RemoteCertificateValidationCallback = (_, certificate, _, _) =>
        {
            shown = (certificate as X509Certificate2)?.NotAfter;
            return before.Trust.NodeOf((X509Certificate2)certificate!) is not null;
        };
        using (var http = new HttpClient(handler))
            await http.GetStringAsync($"https://{address}/healthz");
        foreach (var name in new[] { "n1", "n2" })
            Assert.True(cluster.Identity(name).Certificate.NotAfter > before.Certificate.NotAfter.AddDays(39));
        Assert.Equal(before.Self with { Cluster = default }, cluster.Identity("n1").Self with { Cluster = default });
        Assert.Equal(cluster.Identity("n1").Certificate.NotAfter, shown);
        var renewal = node.Services.GetRequiredService<Renewal>();
        Assert.False(renewal.Take(before.Certificate.ExportCertificatePem())); // An older one.
        Assert.False(renewal.Take(cluster.Identity("n2").Certificate.ExportCertificatePem())); // Somebody else's.
    }

    /// <summary>With the operator's folder, or with that of a node that has the list.</summary>
    [Fact]
    public async Task No_command_believes_a_node_that_is_revoked()
    {
        await using var cluster = Founded.Of(2);
        await using var revoked = await TellingNode.StartAsync(cluster.Identity("n2"));
        using var authority = cluster.Cluster.OpenAuthority();
        File.WriteAllBytes(
            Path.Combine(cluster.Cluster.NodeFolder("n1"), DenyList.FileName), Longer(cluster, authority, "n2"));
        foreach (var call in (Func<Task>[])[
            () => NodeContact.OpenAsync(cluster.Folder, revoked.Address, CancellationToken.None),
            () => NodeContact.OpenAsync(cluster.Cluster.NodeFolder("n1"), revoked.Address, CancellationToken.None),
            () => Invitation.InviteAsync(
                cluster.Cluster, revoked.Address, null, Patience, DateTimeOffset.UtcNow, CancellationToken.None)])
            Assert.Contains(
                "was revoked by the operator", (await Assert.ThrowsAsync<StartRefusedException>(call)).Message,
                StringComparison.Ordinal);
        Assert.Equal(0, revoked.AskedCount);
    }

    /// <summary>It is asked first, and says that n1 answers where it answers itself.</summary>
    [Fact]
    public async Task One_node_that_lies_keeps_no_other_from_being_renewed()
    {
        await using var cluster = Founded.Of(2, DateTimeOffset.UtcNow.AddDays(-40));
        var address = (await cluster.StartAsync("n1")).Node.Self.Address;
        await using var liar = await TellingNode.StartAsync(cluster.Identity("n2"));
        var before = cluster.Identity("n1");
        liar.Says[DenialEndpoints.HoldersPath] = new[] { new DenyListHolder("n1", "", liar.Address, 0) };
        liar.Says[Renewal.Path] = before.Certificate.ExportCertificatePem();
        using var authority = cluster.Cluster.OpenAuthority();
        Assert.Equal(0, await RenewCommand.RenewAsync(
            cluster.Cluster, authority, [], all: true, [liar.Address, address], CancellationToken.None));
        Assert.True(cluster.Identity("n1").Certificate.NotAfter > before.Certificate.NotAfter.AddDays(39));
    }

    private static byte[] Longer(Founded cluster, ClusterAuthority authority, string name)
    {
        cluster.Cluster.Deny(authority, cluster.Cluster.NodesToDeny(name, DateTimeOffset.UtcNow));
        return cluster.Cluster.SignedDenyList()!;
    }

    private static Task<int> RevokeAsync(NodeCluster cluster, string name, string at) => RevokeCommand.RevokeAsync(
        new(cluster.Root), name, isViewer: false, [cluster.AddressOf(at)], _ => true, CancellationToken.None);

    private static string OtherThan(NodeCluster cluster, RunningNode node) =>
        cluster.Names.First(name => cluster[name] != node);

    private static NodeIdentity DataOf(NodeCluster cluster, RunningNode node) =>
        cluster.IdentityOf(node.Node.Self.Name);

    private static NodeId[] Keepers(NodeCluster cluster, string at, SetKey mailbox) =>
        [.. cluster[at].Services.GetRequiredService<TileDirectory>().At(mailbox.Point).Members];

    private static string NameOfAKeeper(NodeCluster cluster, SetKey mailbox) => cluster.Names.Last(name =>
        Keepers(cluster, "n1", mailbox).Contains(cluster[name].Node.Self.Node));

    private static async Task<MessageId[]> ScanAsync(IMessageSets sets, SetKey mailbox)
    {
        var found = new List<MessageId>();
        using var limit = new CancellationTokenSource(Patience);
        await foreach (var page in sets.ScanAsync(mailbox, limit.Token))
            found.AddRange(page.Select(message => message.Id));
        return [.. found];
    }
}
