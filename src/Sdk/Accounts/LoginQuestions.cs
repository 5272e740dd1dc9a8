using ChordChat.Crypto;
using ChordChat.Crypto.Keyrings;
using ChordChat.Crypto.Passwords;
using ChordChat.Sdk.Nodes;
using ChordChat.Wire;
using Google.Protobuf;
using Grpc.Core;
using KdfParameters = ChordChat.Crypto.Passwords.KdfParameters;
using KeyLog = ChordChat.Crypto.KeyLogs.KeyLog;

namespace ChordChat.Sdk.Accounts;

/// <summary>Logs in at nodes with a password's secret, and verifies what they answer.</summary>
/// <remarks>docs/e2e.md, New device.</remarks>
internal sealed class LoginQuestions(
    NodeLinks links, ClusterId cluster, string user, KdfParameters kdf, PasswordKeys keys)
{
    /// <param name="other">Null for the node in use, or another one if that cannot answer now.</param>
    /// <param name="answers">Is told which node it is.</param>
    /// <exception cref="UntrueException">What it shows cannot be the truth.</exception>
    /// <exception cref="ChordChatException"><c>wrong_password</c>, <c>throttled</c>, <c>unavailable</c>, ...
    /// </exception>
    public async Task<Granted> AskAsync(
        NodeLink? other, Action<NodeLink> answers, CancellationToken cancellation)
    {
        var request = new LogInRequest { User = user, Secret = keys.AuthSecret };
        NodeLink? at = null;
        LogInReply reply;
        try
        {
            reply = await CallAsync(
                other,
                (link, options) =>
                {
                    answers(at = link);
                    return link.Chat.LogInAsync(request, options);
                },
                cancellation);
        }
        catch (RpcException cause) when (cause.StatusCode is StatusCode.NotFound or StatusCode.Unauthenticated)
        {
            throw Failures.WrongLogin(user, $"{at!.Cluster.NodeName} at {at.Address}");
        }
        catch (RpcException cause)
        {
            throw Failures.OfLogin(cause);
        }

        if (reply.Degraded)
            throw Failures.Unavailable("login on a new device needs a majority of the account's copies");
        if (reply.KeyLog is null)
            throw new UntrueException($"shows no key log of {user}");
        var log = KeyLog.Verify(cluster, user, reply.KeyLog.Entries.Select(entry => entry.ToByteArray()));
        var ring = KeyringBlob.Open(cluster, user, keys, reply.Keyring.Span);
        if (log is null || ring is null || log.Head.Kdf != kdf || !KeyringBlob.IsThatOf(log, reply.Keyring.Span)
            || !ring.Matches(log))
            throw new UntrueException("hands out a keyring that is not the newest one of this user");
        return new Granted(at!.Key, log, ring, reply.Ticket, reply.Pass);
    }

    /// <param name="other">Null for the node in use, or another one if that cannot answer now.</param>
    public async Task<T> CallAsync<T>(
        NodeLink? other, Func<NodeLink, CallOptions, AsyncUnaryCall<T>> call, CancellationToken cancellation) =>
        other is null
            ? await links.AskAsync(call, cancellation)
            : await call(other, NodeLinks.Options(cancellation));
}

/// <summary>What a node has answered to a login, verified.</summary>
/// <param name="NodeId">In hex.</param>
internal sealed record Granted(string NodeId, KeyLog Log, Keyring Ring, ByteString Ticket, ByteString Pass);

/// <summary>What a node shows cannot be the truth, or the newest: others are asked.</summary>
internal sealed class UntrueException(string message) : Exception(message);
