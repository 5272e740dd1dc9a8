using System.Buffers.Binary;
using ChordChat.Node.Hosting;
using Xunit;

namespace ChordChat.Tests.Cluster.Nodes;

/// <summary>docs/operations.md, "Limits": what one connection may have open at a node.</summary>
public sealed class NodePortTests
{
    private const int RefusedStream = 7; // RFC 9113, section 7.

    [Fact]
    public async Task Of_streams_on_one_connection_only_so_many_are_served_and_the_next_is_refused()
    {
        await using var cluster = await NodeCluster.StartAsync(1, new()
        {
            ["Chat:UnprovenMax"] = "10000", // Another limit, which comes sooner for clients that say nothing.
            ["Chat:UnprovenPerAddressMax"] = "10000",
            ["Chat:HelloTimeout"] = "00:02:00",
        });
        var at = cluster.AddressOf("n1").Split(':');
        await using var client = await RawHttp2.ConnectAsync(at[0], int.Parse(at[1], null));
        using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        const int most = NodePort.StreamsPerConnectionMax;
        var sending = SendAsync(client, most);
        var (told, open) = (0u, new HashSet<int>());
        while (open.Count < most)
        {
            var (kind, stream, body) = await client.ReadAsync(deadline.Token);
            Assert.NotEqual(RawHttp2.Reset, kind);
            if (kind == RawHttp2.Headers)
                open.Add(stream);
            for (var i = 0; kind == RawHttp2.Settings && i < body.Length; i += 6)
                if (BinaryPrimitives.ReadUInt16BigEndian(body.AsSpan(i)) == 3) // Of streams at once.
                    told = BinaryPrimitives.ReadUInt32BigEndian(body.AsSpan(i + 2));
        }

        await sending;
        Assert.Equal((uint)most, told);
        await client.PostAsync((2 * most) + 1, Path);
        while (true)
        {
            var (kind, stream, body) = await client.ReadAsync(deadline.Token);
            if (stream != (2 * most) + 1)
                continue;
            Assert.Equal(RawHttp2.Reset, kind);
            Assert.Equal(RefusedStream, BinaryPrimitives.ReadInt32BigEndian(body));
            return;
        }
    }

    /// <summary>A session that is challenged and says nothing stays open for as long as a hello may take.</summary>
    private const string Path = "/chordchat.v1.Chat/Connect";

    private static async Task SendAsync(RawHttp2 client, int count)
    {
        for (var i = 0; i < count; i++)
            await client.PostAsync((2 * i) + 1, Path);
    }
}
