using System.Diagnostics;
using ChordChat.Crypto;
using ChordChat.Node.Chat;
using ChordChat.Tests.Cluster.Chat;
using ChordChat.Wire;
using Google.Protobuf;
using Grpc.Net.Client;
using Microsoft.Extensions.DependencyInjection;
using Xunit;
using Xunit.Abstractions;

namespace ChordChat.Tests.Cluster.Nodes;

/// <summary>docs/operations.md, "Limits": a full mailbox for a client that reads nothing, over real nodes.</summary>
public sealed class SlowReaderTests(ITestOutputHelper output)
{
    /// <summary>For how many seconds the messages come and nothing is read: usually as long as they take.</summary>
    private const string SecondsVariable = "CHORDCHAT_SLOW_READER_SECONDS";

    private const int Count = 5_000; // As much as one conversation may fill of a mailbox.

    [Fact]
    public async Task A_client_that_reads_nothing_costs_its_bound_while_5_000_messages_come_and_then_gets_each_once()
    {
        await using var cluster = await NodeCluster.StartAsync(3);
        using var channel = Connect(cluster.AddressOf("n1"));
        var client = new Wire.Chat.ChatClient(channel);
        var id = ClusterId.FromBytes((await client.GetClusterAsync(new GetClusterRequest())).Cluster.Span);
        var (alice, bob) = (new ChatUser("alice", id), new ChatUser("bob", id));
        await client.RegisterAsync(alice.Registration());
        await client.RegisterAsync(bob.Registration());
        await using var sender = await ChatConnection.OpenAsync(client, alice);
        using var slow = Connect(cluster.AddressOf("n1"));
        await using var reader = await ChatConnection.OpenAsync(new Wire.Chat.ChatClient(slow), bob, reads: false);
        var sessions = cluster["n1"].Services.GetRequiredService<SessionTable>();
        var bound = 2 * cluster["n1"].Services.GetRequiredService<ChatOptions>().OutgoingBytesMax;

        var (sent, most, total) = (new List<ByteString>(), 0L, 0L);
        var still = TimeSpan.FromSeconds(int.Parse(Environment.GetEnvironmentVariable(SecondsVariable) ?? "0", null));
        var clock = Stopwatch.StartNew();
        while (sent.Count < Count)
        {
            var sends = Enumerable.Range(sent.Count, 100).Select(i => alice.Seal("bob", $"{i}")).ToList();
            await sender.SendAsync(sends);
            await KeptAsync(sender, sends.Count);
            await reader.WriteAsync(new ClientFrame { Heartbeat = true });
            sent.AddRange(sends.Select(send => send.Id));
            total += sends.Sum(send => send.Envelope.Length);
            most = Math.Max(most, sessions.Find("bob")!.BufferedBytes);
            if (still * sent.Count / Count - clock.Elapsed is { Ticks: > 0 } early)
                await Task.Delay(early);
        }

        output.WriteLine($"{total} bytes came in {clock.Elapsed}; at most {most} of {bound} waited");
        Assert.InRange(most, 1, bound);
        Assert.True(total > 2 * bound, $"{total} bytes would have fitted");
        reader.Read();
        var got = new List<ByteString>();
        while (got.Count < Count)
        {
            got.Add((await reader.NextAsync<Push>()).Id);
            if (got.Count % 500 == 0)
                await reader.WriteAsync(new ClientFrame { Heartbeat = true });
        }

        // In which order is for clients to mend: an add that was tried again stands behind what overtook it.
        Assert.Equal(sent.Select(id => id.ToBase64()).Order(), got.Select(id => id.ToBase64()).Order());
        await reader.NextAsync<string>(text => text == "caught up");
        Assert.DoesNotContain(reader.Rest(), item => item is Push);
    }

    private static async Task KeptAsync(ChatConnection line, int count)
    {
        var ids = new HashSet<ByteString>();
        while (ids.Count < count)
        {
            var outcome = await line.NextAsync<SendOutcome>();
            Assert.NotEqual(SendOutcome.Types.State.Refused, outcome.State);
            if (outcome.State == SendOutcome.Types.State.Kept)
                ids.Add(outcome.Id);
        }
    }

    internal static GrpcChannel Connect(string address) => GrpcChannel.ForAddress($"https://{address}", new()
    {
        HttpHandler = new SocketsHttpHandler
        {
            SslOptions = { RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null },
        },
        DisposeHttpClient = true,
    });
}
