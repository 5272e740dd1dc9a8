using ChordChat.Core.Ring;

namespace ChordChat.Node.Identity;

/// <summary>This node: who it is, where it answers and which start of it this is.</summary>
/// <param name="certificate">Its id, position and name.</param>
/// <param name="address">host:port that other machines are told.</param>
/// <param name="incarnation">Grows by one at each start; durable before anybody hears of it.</param>
/// <param name="startedAt">When this process began to be the node.</param>
internal sealed class LocalNode(
    NodeCertificate certificate, string address, ulong incarnation, DateTimeOffset startedAt)
{
    private Peer _self = certificate.At(address);

    /// <summary>This node as others know it. The address follows the machine's when it moves to another
    /// network.</summary>
    public Peer Self => Volatile.Read(ref _self);

    public ulong Incarnation { get; } = incarnation;

    public DateTimeOffset StartedAt { get; } = startedAt;

    public void MoveTo(string newAddress) => Volatile.Write(ref _self, _self with { Address = newAddress });
}
