using ChordChat.Sdk.Nodes;
using ChordChat.Sdk.Profiles;
using ChordChat.Wire;
using Google.Protobuf;
using Grpc.Core;

namespace ChordChat.Sdk.Sessions;

/// <summary>A user's pass, which nodes want to see before they say anything of people: docs/protocol.md#passes.
/// Safe for threads.</summary>
/// <param name="device">Whose key gets a new pass; null for who can only show the one that the profile has.</param>
/// <param name="reports">Of nodes that made this program fail.</param>
internal sealed class UserPass(Profile profile, Func<Device?> device, FailureReports? reports = null) : IDisposable
{
    private const string Header = "chordchat-pass-bin";
    private const int BytesMax = 256;

    private readonly SemaphoreSlim _turn = new(1);
    private volatile byte[]? _newest = profile.Pass;

    /// <summary>Keeps what a node gave, for this process and those after it.</summary>
    public void Keep(ByteString pass)
    {
        if (pass.Length is 0 or > BytesMax)
            return; // Of an older node, or not a pass.
        profile.Pass = _newest = pass.ToByteArray();
    }

    /// <summary>Makes a call that needs a pass. When the node does not take the one that is here, gets another from
    /// that node and asks once more.</summary>
    /// <exception cref="RpcException">Also UNAUTHENTICATED when there is no way to a pass.</exception>
    public async Task<T> AskAsync<T>(
        NodeLink link, Func<NodeLink, CallOptions, AsyncUnaryCall<T>> call, CancellationToken cancellation)
    {
        var shown = _newest;
        try
        {
            return await call(link, Options(shown, cancellation));
        }
        catch (RpcException cause) when (cause.StatusCode == StatusCode.Unauthenticated && device() is not null)
        {
            await RenewAsync(link, device()!, shown, cancellation);
            return await call(link, Options(_newest, cancellation));
        }
    }

    public void Dispose() => _turn.Dispose();

    private async Task RenewAsync(NodeLink link, Device known, byte[]? refused, CancellationToken cancellation)
    {
        await _turn.WaitAsync(cancellation);
        try
        {
            if (_newest != refused)
                return; // Another call was faster.
            var (pass, refusal) = await AskForPassAsync(link, known, cancellation);
            if (refusal?.Reason is SessionEnded.Types.Reason.TakenOver or SessionEnded.Types.Reason.Refused)
                throw new RpcException(new Status(StatusCode.Unauthenticated, refusal.Text));
            if (pass is null)
                throw new RpcException(new Status(StatusCode.Unavailable, refusal?.Text ?? "the node gives no pass"));
            Keep(pass);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>A node whose words are untrue, or make this program fail, gives no pass; another one may.</summary>
    private async Task<(ByteString? Pass, SessionEnded? Refusal)> AskForPassAsync(
        NodeLink link, Device known, CancellationToken cancellation)
    {
        try
        {
            return await Session.AskForPassAsync(link, known, cancellation);
        }
        catch (RpcException cause) when (cause is { StatusCode: StatusCode.Internal, Status.DebugException: null })
        {
            throw new RpcException(new Status(StatusCode.Unavailable, cause.Status.Detail));
        }
        catch (Exception cause) when (
            cause is not (RpcException or OperationCanceledException or ObjectDisposedException))
        {
            var failure = Failures.Unexpected(link.Cluster.NodeName, cause);
            reports?.Add(failure);
            throw new RpcException(new Status(StatusCode.Unavailable, failure.Message));
        }
    }

    private static CallOptions Options(byte[]? pass, CancellationToken cancellation)
    {
        var options = NodeLinks.Options(cancellation);
        return pass is null ? options : options.WithHeaders(new Metadata { { Header, pass } });
    }
}
