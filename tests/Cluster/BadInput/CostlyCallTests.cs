using System.Buffers.Binary;
using System.Net;
using ChordChat.Core.Chat;
using ChordChat.Node;
using ChordChat.Node.Identity;
using ChordChat.Node.Links;
using ChordChat.Tests.Cluster.Admission;
using Google.Protobuf;
using Xunit;

namespace ChordChat.Tests.Cluster.BadInput;

/// <summary>docs/security.md, "What a call may cost": a real node, and a stranger who makes up what it has to
/// read.</summary>
public sealed class CostlyCallTests : IAsyncLifetime
{
    private const string Exhausted = "8";
    private const string Invalid = "3";

    private readonly Founded _cluster = Founded.Of(2);
    private readonly List<HttpClient> _clients = [];
    private RunningNode _node = null!;

    public async Task InitializeAsync() => _node = await _cluster.StartAsync("n1");

    public async Task DisposeAsync()
    {
        _clients.ForEach(client => client.Dispose());
        await _cluster.DisposeAsync();
    }

    [Theory]
    [InlineData("Chat/GetCluster", WholeBodies.BytesMax)]
    [InlineData("Chat/GetKdf", WholeBodies.BytesMax)]
    [InlineData("Chat/CheckName", WholeBodies.BytesMax)]
    [InlineData("Chat/LogIn", WholeBodies.BytesMax)]
    [InlineData("Chat/Register", 48 << 10)]
    [InlineData("Chat/PublishKeys", 656 << 10)]
    [InlineData("View/Watch", WholeBodies.BytesMax)]
    [InlineData("View/Trace", WholeBodies.BytesMax)]
    public async Task What_strangers_may_call_takes_no_more_than_it_needs_and_says_so(string method, int longest)
    {
        var (status, text, hint) = await CallAsync(method, Groups(longest + 2_000));
        Assert.Equal((Exhausted, true, true), (status, text.Contains("at most", StringComparison.Ordinal), hint));
        (status, text, hint) = await CallAsync(method, new byte[(4 << 20) - 100]);
        Assert.Equal((Exhausted, true, true), (status, text.Contains("at most", StringComparison.Ordinal), hint));
    }

    [Fact]
    public async Task What_has_more_fields_than_anybody_needs_is_not_read()
    {
        Assert.Equal(Invalid, (await CallAsync("Chat/PublishKeys", Groups(600 << 10))).Status);
        Assert.Equal("0", (await CallAsync("Chat/GetCluster", [])).Status);
    }

    /// <summary>Who has not said who they are gets no room for a whole frame.</summary>
    [Fact]
    public async Task The_first_frame_of_a_session_is_no_longer_than_a_hello()
    {
        Assert.Equal(Invalid, (await CallAsync("Chat/Connect", Groups(ShortFirstMessage.BytesMax - 100))).Status);
        foreach (var bytes in (int[])[ShortFirstMessage.BytesMax + 100, 1_400 << 10, 3_000 << 10])
        {
            var (status, text, _) = await CallAsync("Chat/Connect", Groups(bytes));
            Assert.Equal((Exhausted, true), (status, text.Contains("at most 4096", StringComparison.Ordinal)));
        }
    }

    [Fact]
    public async Task A_call_is_one_whole_message()
    {
        Assert.Equal(Invalid, (await SendAsync("Chat/GetCluster", [])).Status);
        Assert.Equal(Invalid, (await SendAsync("Chat/GetCluster", [0, 0, 0])).Status);
        Assert.Equal(Invalid, (await SendAsync("Chat/GetCluster", [0, 0, 0, 0, 9, 1])).Status);
        Assert.Equal(Invalid, (await SendAsync("Chat/GetCluster", [0, 0, 0, 0, 0, 0, 0, 0, 0, 0])).Status);
        Assert.Equal(Invalid, (await CallAsync("Chat/GetCluster", [0xff])).Status);
    }

    /// <summary>The keyring of somebody with very many devices still fits.</summary>
    [Fact]
    public async Task What_is_as_long_as_it_may_be_is_read()
    {
        var keys = new Wire.PublishKeysRequest
        {
            User = "anna",
            Ticket = ByteString.CopyFrom(new byte[32]),
            KeyLogEntry = ByteString.CopyFrom(new byte[ChatLimits.KeyLogEntryBytesMax]),
            Keyring = ByteString.CopyFrom(new byte[ChatLimits.KeyringBytesMax]),
        };
        var (status, text, _) = await CallAsync("Chat/PublishKeys", keys.ToByteArray());
        Assert.NotEqual(Exhausted, status);
        Assert.DoesNotContain("message", text, StringComparison.Ordinal);
    }

    /// <summary>Empty groups of a field that nobody knows: two bytes each, and each an object with a dictionary to who
    /// keeps them.</summary>
    private static byte[] Groups(int bytes) =>
        [.. Enumerable.Range(0, bytes / 2).SelectMany(_ => (byte[])[(15 << 3) | 3, (15 << 3) | 4])];

    private Task<(string Status, string Text, bool HasHint)> CallAsync(string method, byte[] message)
    {
        var head = new byte[5];
        BinaryPrimitives.WriteInt32BigEndian(head.AsSpan(1), message.Length);
        return SendAsync(method, [.. head, .. message]);
    }

    private async Task<(string Status, string Text, bool HasHint)> SendAsync(string method, byte[] body)
    {
        var http = new HttpClient(ClusterTls.CreateHandler(_cluster.Identity("n2").Trust, null));
        _clients.Add(http);
        using var request = new HttpRequestMessage(
            HttpMethod.Post, $"https://{_node.Node.Self.Address}/chordchat.v1.{method}")
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent(body),
        };
        request.Content.Headers.ContentType = new("application/grpc");
        request.Headers.Add("te", "trailers");
        using var answer = await http.SendAsync(request);
        return (Of("grpc-status"), Uri.UnescapeDataString(Of("grpc-message")), Of("hint").Length > 0);

        string Of(string name) =>
            answer.Headers.TryGetValues(name, out var inHeaders) ? inHeaders.Single()
            : answer.TrailingHeaders.TryGetValues(name, out var inTrailers) ? inTrailers.Single() : "";
    }
}
