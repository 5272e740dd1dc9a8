using System.Reflection;
using ChordChat.Crypto.Sessions;
using ChordChat.Sdk.Nodes;
using ChordChat.Sdk.Profiles;
using ChordChat.Wire;
using Google.Protobuf;
using Grpc.Core;

namespace ChordChat.Sdk.Sessions;

/// <summary>One Connect stream that a node has welcomed. Reading and writing may go on side by side.</summary>
internal sealed class Session : IDisposable
{
    private static readonly TimeSpan ChallengeTimeout = TimeSpan.FromSeconds(5);

    /// <summary>A node that strangers keep busy judges hellos one after the other, and a client that gives up loses its
    /// place.</summary>
    private static readonly TimeSpan WelcomeTimeout = TimeSpan.FromSeconds(30);
    private static readonly string Program =
        $"chordchat {Assembly.GetExecutingAssembly().GetName().Version?.ToString(3)}";

    private readonly AsyncDuplexStreamingCall<ClientFrame, NodeFrame> _call;
    private readonly SemaphoreSlim _writing = new(1);

    private readonly byte[] _nonce;

    private Session(NodeLink link, byte[] nonce, AsyncDuplexStreamingCall<ClientFrame, NodeFrame> call) =>
        (Link, _nonce, _call) = (link, nonce, call);

    public NodeLink Link { get; }

    public Welcome Welcome { get; private set; } = new();

    /// <summary>Proves to the node who we are.</summary>
    /// <param name="nonce">Of a hello that is later than all before.</param>
    /// <returns>The session, or why the node will not have one.</returns>
    /// <exception cref="RpcException">The node is gone or does not answer.</exception>
    public static Task<(Session? Session, SessionEnded? Refusal)> OpenAsync(
        NodeLink link, Device device, byte[] nonce, CancellationToken cancellation) =>
        OpenAsync(link, device, nonce, passOnly: false, cancellation);

    /// <summary>Proves to the node who we are and wants nothing but a pass: ends no session.</summary>
    /// <returns>The pass, or why there is none.</returns>
    /// <exception cref="RpcException">The node is gone or does not answer.</exception>
    public static async Task<(ByteString? Pass, SessionEnded? Refusal)> AskForPassAsync(
        NodeLink link, Device device, CancellationToken cancellation)
    {
        var nonce = HelloNonce.New(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds());
        var (session, refusal) = await OpenAsync(link, device, nonce, passOnly: true, cancellation);
        using (session)
            return (session?.Welcome.Pass, refusal);
    }

    private static async Task<(Session? Session, SessionEnded? Refusal)> OpenAsync(
        NodeLink link, Device device, byte[] nonce, bool passOnly, CancellationToken cancellation)
    {
        var session = new Session(link, nonce, Connect(link, cancellation));
        try
        {
            using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            deadline.CancelAfter(ChallengeTimeout);
            var first = await session.ReadAsync(deadline.Token);
            if (first?.Ended is { } refusedAtOnce)
                return Close(refusedAtOnce);
            if (first?.Challenge is not { } challenge || !challenge.NodeId.Span.SequenceEqual(link.NodeId)
                || !challenge.Cluster.Span.SequenceEqual(device.Cluster.ToBytes())
                || challenge.NodeNonce.Length != SessionProof.NonceBytes)
                throw new RpcException(new Status(StatusCode.Internal, "the node's challenge is not its own"));
            var hello = new ClientFrame { Hello = session.Answer(challenge, device, passOnly) };
            await session.WriteAsync(hello, deadline.Token);
            deadline.CancelAfter(WelcomeTimeout);
            var second = await session.ReadAsync(deadline.Token);
            if (second?.Ended is { } refused)
                return Close(refused);
            session.Welcome = second?.Welcome
                ?? throw new RpcException(new Status(StatusCode.Internal, "the node did not say welcome"));
            session.Welcome.NodeName = link.Cluster.NodeName;
            return (session, null);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            session.Dispose();
            throw new RpcException(new Status(StatusCode.DeadlineExceeded, "the node did not say welcome in time"));
        }
        catch
        {
            session.Dispose();
            throw;
        }

        (Session?, SessionEnded?) Close(SessionEnded refusal)
        {
            session.Dispose();
            return (null, refusal);
        }
    }

    /// <summary>Whether a program with a copy of this device's keys has begun a session after this one: a later hello
    /// is shown that these keys signed.</summary>
    /// <remarks>docs/e2e.md, Session. While this session stands, this program makes no other hello.</remarks>
    public bool IsEndedByCopy(NewerSession? newer, Device device) =>
        newer is not null && HelloNonce.IsLater(newer.ClientNonce.Span, _nonce) && SessionProof.Verify(
            device.Log.Head.DeviceKey, device.Cluster, newer.NodeId.Span, device.User, device.Epoch,
            newer.NodeNonce.Span, newer.ClientNonce.Span, newer.Signature.Span);

    /// <summary>The next frame, or null when the node has closed the stream.</summary>
    public async Task<NodeFrame?> ReadAsync(CancellationToken cancellation)
    {
        try
        {
            return await _call.ResponseStream.MoveNext(cancellation) ? _call.ResponseStream.Current : null;
        }
        catch (ObjectDisposedException cause)
        {
            throw Closed(cause);
        }
    }

    public async Task WriteAsync(ClientFrame frame, CancellationToken cancellation)
    {
        await _writing.WaitAsync(cancellation);
        try
        {
            await _call.RequestStream.WriteAsync(frame, cancellation);
        }
        catch (Exception cause) when (cause is InvalidOperationException or IOException or HttpRequestException)
        {
            // The call is complete already, or the connection broke while this was on its way.
            throw Closed(cause);
        }
        finally
        {
            _writing.Release();
        }
    }

    public void Dispose()
    {
        _call.Dispose();
        _writing.Dispose();
    }

    private static AsyncDuplexStreamingCall<ClientFrame, NodeFrame> Connect(
        NodeLink link, CancellationToken cancellation)
    {
        try
        {
            return link.Chat.Connect(cancellationToken: cancellation);
        }
        catch (ObjectDisposedException cause)
        {
            throw Closed(cause);
        }
    }

    /// <summary>What a stream that is over means, also when a call beside this one found out first that the node is
    /// gone and dropped the link.</summary>
    private static RpcException Closed(Exception cause) =>
        new(new Status(StatusCode.Unavailable, "the stream is closed", cause));

    private Hello Answer(Challenge challenge, Device device, bool passOnly) => new()
    {
        User = device.User,
        Epoch = device.Epoch,
        ClientNonce = ByteString.CopyFrom(_nonce),
        Client = Program,
        PassOnly = passOnly,
        Signature = ByteString.CopyFrom(SessionProof.Sign(
            device.Signing, device.Cluster, Link.NodeId, device.User, device.Epoch, challenge.NodeNonce.Span,
            _nonce, passOnly ? ProofUse.Pass : ProofUse.Session)),
    };
}
