using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using ChordChat.Node.Base;
using ChordChat.Node.Identity;
using ChordChat.Tests.Cluster.Admission;
using ChordChat.Wire;
using Grpc.Net.Client;
using Xunit;

namespace ChordChat.Tests.Cluster.BadInput;

/// <summary>docs/protocol.md#bad-input: joining a cluster, from both sides.</summary>
public sealed class EnrolmentTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Life = TimeSpan.FromMinutes(15);
    private readonly Founded _cluster = Founded.Of(1);
    private string _address = "";

    public async Task InitializeAsync() => _address = (await _cluster.StartAsync("n1")).Node.Self.Address;

    public async Task DisposeAsync() => await _cluster.DisposeAsync();

    [Fact]
    public async Task Who_joins_and_is_answered_nonsense_or_nothing_is_told_so_and_keeps_the_token()
    {
        var token = await InviteAsync();
        var identity = _cluster.Identity("n1");
        await Task.WhenAll(Enum.GetValues<Nonsense>().SelectMany(says => new[]
        {
            JoinsInVainAsync(token, says, null), // Its first question: of which cluster are you?
            JoinsInVainAsync(token, says, identity.Trust.Authority.RawData), // Its second one, for what it came.
        }).Append(JoinsInVainAsync(token, [])).Append(JoinsInVainAsync(token, RandomNumberGenerator.GetBytes(1_000))));
        await Invitation.FetchAsync(token, DateTimeOffset.UtcNow, CancellationToken.None);
    }

    [Fact]
    public async Task Who_calls_a_node_to_join_and_sends_nonsense_or_stops_midway_is_hung_up_on()
    {
        using var authority = _cluster.Cluster.OpenAuthority();
        using var @operator = authority.IssueOperator(DateTimeOffset.UtcNow);
        var begun = $"/join/{new string('a', 32)} HTTP/1.1\r\nHost: n1\r\nContent-Length: 1000\r\n\r\nabc";
        var invite =
            $"PUT /invites/{new string('b', 32)}?expires=1 HTTP/1.1\r\nHost: n1\r\nContent-Length: 1000\r\n\r\nabc";
        Task[] strangers =
        [
            HungUpOnAsync([], null),
            HungUpOnAsync(RandomNumberGenerator.GetBytes(1_000), null),
            HungUpOnAsync(null, RandomNumberGenerator.GetBytes(1_000)),
            HungUpOnAsync(null, Encoding.ASCII.GetBytes("POST /join/")),
            HungUpOnAsync(null, Encoding.ASCII.GetBytes("POST " + begun)),
            HungUpOnAsync(null, Encoding.ASCII.GetBytes($"POST /join/{new string('x', 100_000)} HTTP/1.1\r\n\r\n")),
            HungUpOnAsync(null, Encoding.ASCII.GetBytes(invite), @operator),
        ];
        var token = await InviteAsync();
        await Invitation.FetchAsync(token, DateTimeOffset.UtcNow, CancellationToken.None); // Meanwhile others join.
        await Task.WhenAll(strangers);
        using var channel = GrpcChannel.ForAddress($"https://{_address}", new()
        {
            HttpHandler = ClusterTls.CreateHandler(_cluster.Identity("n1").Trust, null),
            DisposeHttpClient = true,
        });
        Assert.Equal("n1", (await new Wire.Chat.ChatClient(channel).GetClusterAsync(new GetClusterRequest())).NodeName);
    }

    private Task<JoinToken> InviteAsync() => Invitation.InviteAsync(
        _cluster.Cluster, _address, null, Life, DateTimeOffset.UtcNow, CancellationToken.None);

    private async Task JoinsInVainAsync(JoinToken token, Nonsense says, byte[]? authority)
    {
        await using var server = await HostilePeer.StartAsync(_cluster.Identity("n1"), says, authority);
        var refused = await RefusedAsync(token, server.Address, $"{says}");
        if (says is Nonsense.Huge or Nonsense.Endless) // It is not read for as long as it lasts.
            Assert.Contains($"{2 * Invites.BundleBytesMax}", refused.Message, StringComparison.Ordinal);
        Assert.True(authority is not null || server.RequestCount > 0, $"{says} was never asked");
    }

    /// <summary>Who answers does not even speak TLS.</summary>
    private static async Task JoinsInVainAsync(JoinToken token, byte[] says)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var joining = RefusedAsync(token, $"{listener.LocalEndpoint}", $"{says.Length} bytes");
        using var caller = await listener.AcceptTcpClientAsync();
        await caller.GetStream().WriteAsync(says);
        await joining;
    }

    private static async Task<StartRefusedException> RefusedAsync(JoinToken token, string address, string says)
    {
        var joining = Invitation.FetchAsync(
            token with { Address = address }, DateTimeOffset.UtcNow, CancellationToken.None);
        var refused = await Assert.ThrowsAsync<StartRefusedException>(() => joining.WaitAsync(Patience));
        Assert.True(refused.Code is ExitCode.Foreign or ExitCode.Unreachable, $"{says}: {refused.Code}");
        Assert.Contains(address, refused.Message, StringComparison.Ordinal);
        return refused;
    }

    /// <summary>Ends when the node has closed the connection.</summary>
    /// <param name="instead">Of TLS.</param>
    /// <param name="says">In TLS.</param>
    private async Task HungUpOnAsync(
        byte[]? instead, byte[]? says, System.Security.Cryptography.X509Certificates.X509Certificate2? by = null)
    {
        var at = HostPort.TryParse(_address, out var parsed) ? parsed : throw new FormatException(_address);
        using var tcp = new TcpClient();
        await tcp.ConnectAsync(at.Host, at.Port);
        await using var tls = new SslStream(tcp.GetStream(), false, (_, certificate, _, _) => certificate is not null);
        Stream line = tcp.GetStream();
        if (instead is null)
        {
            await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
            {
                TargetHost = "n1",
                ClientCertificates = by is null ? null : new(new[] { by }),
            });
            line = tls;
        }

        using var deadline = new CancellationTokenSource(Patience);
        try
        {
            await line.WriteAsync(instead ?? says, deadline.Token);
            var read = new byte[4_096];
            while (await line.ReadAsync(read, deadline.Token) > 0) { }
        }
        catch (IOException)
        {
            // Hung up on, without a word.
        }
    }
}
