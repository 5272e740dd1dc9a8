using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using ChordChat.Node.Base;
using ChordChat.Node.Identity;
using ChordChat.Node.Links;

namespace ChordChat.Node.Tiles;

/// <summary>Asks replicas, this node's own included.</summary>
internal sealed partial class ReplicaCalls(
    ReplicaWriter writer, PeerLinks links, SessionShower show, DiskGuard guard, LocalNode node, AccountLanes lanes,
    TimeProvider time, ILogger<ReplicaCalls> logger)
{
    private readonly LineBudget _faultLines = new(1);

    public NodeId Self => node.Self.Node;

    /// <summary>Sends a request and hands the reply to <paramref name="done"/>, on any thread, perhaps before this
    /// returns; null when none will come. It may also never be called: the caller has a timer.</summary>
    public void Send(NodeId to, ReplicaRequest request, Action<ReplicaReply?> done)
    {
        if (!AccountLanes.IsFor(request))
            SendNow(to, request, done);
        else if (!lanes.TryEnter(to, Begin, () => done(null)))
            done(null);

        void Begin(Action end) => SendNow(to, request, reply =>
        {
            end();
            done(reply);
        });
    }

    /// <summary>As <see cref="Send"/>; waits for the reply, but no longer than <paramref name="timeout"/>.</summary>
    /// <returns>Null when none came.</returns>
    public Task<ReplicaReply?> AskAsync(
        NodeId to, ReplicaRequest request, TimeSpan timeout, CancellationToken cancellation) =>
        Callback.InTimeAsync<ReplicaReply>(done => Send(to, request, done), timeout, time, cancellation);

    /// <summary>An answer, or what came of it, made a step of this coordinator throw.</summary>
    public void Report(Coordinator coordinator, Exception fault)
    {
        if (_faultLines.Allows(Environment.TickCount64, out var skipped))
            LogFault(coordinator.GetType().Name, skipped, fault);
    }

    private void SendNow(NodeId to, ReplicaRequest request, Action<ReplicaReply?> done)
    {
        if (to != Self)
            links.Send(to, request.ToWire(), answer => Take(to, request, answer, done));
        else if (!guard.IsOpen || !writer.Submit(request, Self, done))
            done(null);
    }

    /// <summary>Whoever does not know yet that this node speaks for a user is shown it, and asked once more.</summary>
    private void Take(NodeId from, ReplicaRequest request, Wire.Answer? answer, Action<ReplicaReply?> done)
    {
        if (answer?.Unproven is null || SessionNeed.Of(request) is not { } need)
            done(Read(answer));
        else
            show(from, need.User, right =>
            {
                if (right >= need.Right)
                    links.Send(from, request.ToWire(), again => done(Read(again)));
                else
                    done(null);
            });
    }

    private static ReplicaReply? Read(Wire.Answer? answer)
    {
        try
        {
            return answer?.ToReplicaReply();
        }
        catch (MalformedException)
        {
            return null; // An answer that makes no sense is none.
        }
    }

    [LoggerMessage(3012, LogLevel.Error,
        "an error of this program ended a {Operation}; all else goes on ({Skipped} more since the last such line)")]
    private partial void LogFault(string operation, long skipped, Exception fault);
}
