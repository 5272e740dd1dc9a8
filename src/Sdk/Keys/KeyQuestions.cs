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

    /// <summary>How long one node may take while others can be asked.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    private readonly WrongKeys _wrong = new();

    /// <inheritdoc/>
    public async Task<KeyAnswer> AskAsync(
        string user, Func<KeyLog, KeyLogWorth> judge, CancellationToken cancellation)
    {
        var told = new Told();
        if (await AskEachAsync(user, judge, told, cancellation) is { } log)
            return new(log, AreEnough(told.ShownCount));
        if (told.ShownCount > 0)
            return new(null, AreEnough(told.ShownCount));
        if (told.Unknown is not null && AreEnough(told.UnknownCount))
            throw Failures.UnknownUser(user);
        throw told.Trouble
            ?? Failures.Unavailable($"it is not known whether there is a user {user}", told.Unknown);
    }

    /// <summary>The last one that can be asked has all the time that is left.</summary>
    /// <returns>A log that is worth taking.</returns>
    private async Task<KeyLog?> AskEachAsync(
        string user, Func<KeyLog, KeyLogWorth> judge, Told told, CancellationToken cancellation)
    {
        NodeLink? other = null; // At first whichever is in use.
        try
        {
            while (true)
            {
                var patience = IsLast(told.Asked.Count) ? Timeout.InfiniteTimeSpan : Patience;
                if (await AskOneAsync(user, judge, other, told, patience, cancellation) is { } log)
                    return log;
                if (told.Asked.Count >= NodesMax)
                    return null;
                if (await OpenOtherAsync(told.Asked, cancellation) is not { } next)
                    break;
                other?.Dispose();
                other = next;
            }

            // Nobody else is there to be asked.
            return told.IsCutOff
                ? await AskOneAsync(user, judge, other, told, Timeout.InfiniteTimeSpan, cancellation)
                : null;
        }
        finally
        {
            other?.Dispose();
        }
    }

    /// <summary>Whether no further node is known. The first is never taken for the last: there may be others of which
    /// nobody has told.</summary>
    private bool IsLast(int askedBefore) =>
        askedBefore > 0 && (askedBefore + 1 >= NodesMax || askedBefore + 1 >= links.Pool.NodeCount);

    /// <summary>What nodes have said to one question.</summary>
    private sealed class Told
    {
        public HashSet<string> Asked { get; } = [];

        public int ShownCount { get; set; }

        public int UnknownCount { get; set; }

        public RpcException? Unknown { get; set; }

        public ChordChatException? Trouble { get; set; }

        /// <summary>The last one took too long.</summary>
        public bool IsCutOff { get; set; }
    }

    /// <returns>A log that is worth taking.</returns>
    private async Task<KeyLog?> AskOneAsync(
        string user, Func<KeyLog, KeyLogWorth> judge, NodeLink? other, Told told, TimeSpan patience,
        CancellationToken cancellation)
    {
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        bound.CancelAfter(patience);
        told.IsCutOff = false;
        NodeLink? at = null;
        try
        {
            var reply = await AskOneAsync(user, other, link => at = link, bound.Token);
            var log = KeyLog.Verify(cluster, user, reply.Entries.Select(entry => entry.ToByteArray()));
            var worth = log is null ? KeyLogWorth.NotTheirs : judge(log);
            if (worth == KeyLogWorth.NotTheirs)
                told.Trouble = Blame(at!, user);
            else
                told.ShownCount++;
            if (worth == KeyLogWorth.Take)
                return log;
        }
        catch (Exception cause) when (bound.IsCancellationRequested && !cancellation.IsCancellationRequested
            && cause is RpcException { StatusCode: StatusCode.Cancelled } or OperationCanceledException)
        {
            told.IsCutOff = true;
            told.Trouble ??= Failures.Unavailable($"the keys of {user} cannot be read", cause);
        }
        catch (RpcException cause) when (cause.StatusCode == StatusCode.NotFound)
        {
            told.UnknownCount++;
            told.Unknown = cause;
        }
        catch (RpcException cause) when (cause.StatusCode == StatusCode.Unauthenticated)
        {
            told.Trouble ??= Failures.NoPass($"the keys of {user} cannot be read", cause);
        }
        catch (RpcException cause)
        {
            told.Trouble ??= Failures.Of(cause, $"the keys of {user} cannot be read");
        }
        catch (Exception cause) when (
            cause is not (ChordChatException or OperationCanceledException or SqliteException))
        {
            told.Trouble ??= Failures.Unexpected(at is null ? "a node" : at.Cluster.NodeName, cause);
        }

        told.Asked.Add(at is null ? $"nobody {told.Asked.Count}" : at.Key);
        return null;
    }

    /// <returns>Null as well if none answers in time.</returns>
    private async Task<NodeLink?> OpenOtherAsync(IReadOnlySet<string> asked, CancellationToken cancellation)
    {
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        bound.CancelAfter(Patience);
        try
        {
            return await links.OpenOtherAsync(asked, bound.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return null;
        }
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
        var name = WrongKeys.NameOf(node.Cluster.NodeName, node.Address);
        if (_wrong.Tell(node.Key, name, user) is { } line)
            tell(new ClientEvent.Notice(line));
        return new ChordChatException(
            "bad_keys", $"{name} shows keys of {user} that are not signed by {user}, and no other node helps",
            "nothing can be sent to them now; name another node with --node, and tell the operator");
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
