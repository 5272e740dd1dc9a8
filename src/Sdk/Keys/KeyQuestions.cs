using ChordChat.Crypto;
using ChordChat.Sdk.Nodes;
using ChordChat.Wire;
using Grpc.Core;
using Microsoft.Data.Sqlite;
using KeyLog = ChordChat.Crypto.KeyLogs.KeyLog;

namespace ChordChat.Sdk.Keys;

/// <summary>Asks for key logs.</summary>
internal interface IKeyQuestions
{
    /// <summary>Asks one node after another until one shows a log that is worth taking.</summary>
    /// <returns>No log if all nodes that answered show less than is known.</returns>
    /// <exception cref="ChordChatException"><c>unknown_user</c> when enough nodes say so, <c>bad_keys</c> when nobody
    /// shows keys that are theirs, <c>unavailable</c>.</exception>
    Task<KeyAnswer> AskAsync(string user, Func<KeyLog, KeyLogWorth> judge, CancellationToken cancellation);
}

/// <summary>Asks nodes for key logs. One node's word ends nothing: whoever shows a log that is not the user's is named,
/// and others are asked.</summary>
/// <remarks>docs/e2e.md, Pins.</remarks>
internal sealed class KeyQuestions(ClusterId cluster, NodeLinks links, Action<ClientEvent> tell) : IKeyQuestions
{
    /// <summary>How many nodes are asked before the answer is "nobody can say now".</summary>
    public const int NodesMax = 3;

    private const int BlamedMax = 1_000;

    private readonly HashSet<string> _blamed = [];

    /// <inheritdoc/>
    public async Task<KeyAnswer> AskAsync(
        string user, Func<KeyLog, KeyLogWorth> judge, CancellationToken cancellation)
    {
        var asked = new HashSet<string>();
        var shownCount = 0;
        var unknownCount = 0;
        RpcException? unknown = null;
        ChordChatException? trouble = null;
        while (asked.Count < NodesMax)
        {
            using var other = asked.Count == 0 ? null : await links.OpenOtherAsync(asked, cancellation);
            if (other is null && asked.Count > 0)
                break;
            NodeLink? at = null;
            try
            {
                var reply = await AskOneAsync(user, other, link => at = link, cancellation);
                var log = KeyLog.Verify(cluster, user, reply.Entries.Select(entry => entry.ToByteArray()));
                var worth = log is null ? KeyLogWorth.NotTheirs : judge(log);
                if (worth == KeyLogWorth.NotTheirs)
                    trouble = Blame(at!, user);
                else
                    shownCount++;
                if (worth == KeyLogWorth.Take)
                    return new(log, AreEnough(shownCount));
            }
            catch (RpcException cause) when (cause.StatusCode == StatusCode.NotFound)
            {
                unknownCount++;
                unknown = cause;
            }
            catch (RpcException cause) when (cause.StatusCode == StatusCode.Unauthenticated)
            {
                trouble ??= Failures.NoPass($"the keys of {user} cannot be read", cause);
            }
            catch (RpcException cause)
            {
                trouble ??= Failures.Of(cause, $"the keys of {user} cannot be read");
            }
            catch (Exception cause) when (
                cause is not (ChordChatException or OperationCanceledException or SqliteException))
            {
                trouble ??= Failures.Unexpected(at is null ? "a node" : NodeWords.Name(at.Cluster.NodeName), cause);
            }

            asked.Add(at is null ? $"nobody {asked.Count}" : Convert.ToHexString(at.NodeId));
        }

        if (shownCount > 0)
            return new(null, AreEnough(shownCount));
        if (unknown is not null && AreEnough(unknownCount))
            throw Failures.UnknownUser(user);
        throw trouble ?? Failures.Unavailable($"it is not known whether there is a user {user}", unknown);
    }

    /// <summary>Whether what so many nodes say can be believed.</summary>
    private bool AreEnough(int count) => count >= NodesMax || 2 * count > links.Pool.NodeCount;

    private async Task<Wire.KeyLog> AskOneAsync(
        string user, NodeLink? other, Action<NodeLink> answers, CancellationToken cancellation)
    {
        var request = new GetKeyLogRequest { User = user };
        if (other is null)
            return await links.AskAsync(
                (link, options) =>
                {
                    answers(link);
                    return link.Chat.GetKeyLogAsync(request, options);
                },
                cancellation);
        answers(other);
        return await links.Pass.AskAsync(
            other, (link, options) => link.Chat.GetKeyLogAsync(request, options), cancellation);
    }

    private ChordChatException Blame(NodeLink node, string user)
    {
        var name = $"{NodeWords.Name(node.Cluster.NodeName)} at {node.Address}";
        bool isNew;
        lock (_blamed)
            isNew = _blamed.Count < BlamedMax && _blamed.Add($"{name} {user}");
        if (isNew)
            tell(new ClientEvent.Notice(
                $"{name} shows wrong keys for {user}; other nodes are being asked; tell the operator"));
        return new ChordChatException(
            "bad_keys", $"{name} shows keys of {user} that are not signed by {user}, and no other node helps",
            "the message waits; name another node with --node, and tell the operator");
    }
}

/// <param name="Log">The newest that is worth taking.</param>
/// <param name="IsOfEnough">Whether what it lacks can be believed: as many nodes as are ever asked showed a log of that
/// user, or more than half of all that are known.</param>
internal readonly record struct KeyAnswer(KeyLog? Log, bool IsOfEnough);

/// <summary>What a verified key log is worth to somebody who knows one already.</summary>
internal enum KeyLogWorth
{
    /// <summary>It is the one that is known, or extends it, or forks it by the same identity.</summary>
    Take,

    /// <summary>It is older than what is known.</summary>
    Behind,

    /// <summary>It is somebody else's under the same name: whoever shows it lies.</summary>
    NotTheirs,
}
