using ChordChat.Core.Replication;
using ChordChat.Core.Ring;
using ChordChat.Node.Admission;
using ChordChat.Node.Hosting;
using ChordChat.Node.Replication;

namespace ChordChat.Node.Transport;

/// <summary>Asks replicas, this node's own included.</summary>
internal sealed class ReplicaCalls(ReplicaWriter writer, PeerLinks links, DiskGuard guard, LocalNode node)
{
    public NodeId Self => node.Self.Node;

    /// <summary>Sends a request and hands the reply to <paramref name="done"/>, on any thread, perhaps before this
    /// returns; null when none will come. It may also never be called: the caller has a timer.</summary>
    public void Send(NodeId to, ReplicaRequest request, Action<ReplicaReply?> done)
    {
        if (to != Self)
            links.Send(to, request.ToWire(), answer => done(Read(answer)));
        else if (!guard.IsOpen || !writer.Submit(request, Self, done))
            done(null);
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
}
