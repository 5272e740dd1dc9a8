using Grpc.Core;
using Grpc.Net.Client;

namespace ChordChat.Wire;

/// <summary>Two ways to speak to one node over the same connection: before it has proved what it is, and
/// after.</summary>
/// <remarks>docs/security.md, "What a call may cost". Both read strictly (<see cref="StrictAnswers"/>).</remarks>
public sealed class NodeChannels : IDisposable
{
    /// <summary>The longest answer of a node that may be anybody.</summary>
    public const int StrangerBytesMax = 64 << 10;

    /// <summary>The longest answer of a node of the cluster: a key log.</summary>
    public const int NodeBytesMax = 16 << 20;

    private readonly HttpClient _connection;
    private readonly GrpcChannel _stranger;
    private readonly GrpcChannel _node;

    /// <param name="address">host:port.</param>
    /// <param name="connection">Is disposed of with this object.</param>
    public NodeChannels(string address, HttpMessageHandler connection)
    {
        // Given the handler itself, each channel would make a connection of its own.
        _connection = new HttpClient(connection) { Timeout = Timeout.InfiniteTimeSpan };
        _stranger = Open(StrangerBytesMax);
        _node = Open(NodeBytesMax);

        GrpcChannel Open(int bytesMax) => GrpcChannel.ForAddress($"https://{address}", new GrpcChannelOptions
        {
            HttpClient = _connection,
            MaxReceiveMessageSize = bytesMax,
        });
    }

    public CallInvoker Stranger => StrictAnswers.Of(_stranger);

    public CallInvoker Node => StrictAnswers.Of(_node);

    public void Dispose()
    {
        _stranger.Dispose();
        _node.Dispose();
        _connection.Dispose();
    }
}
