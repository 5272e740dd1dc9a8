using System.Text;
using ChordChat.Node.Base;

namespace ChordChat.Node.Discovery;

/// <summary>How a client, who has no secret, finds a node: it asks the group and every node answers it
/// directly.</summary>
/// <remarks>The answer is a hint like any other: the client trusts the cluster's authority, not the datagram.</remarks>
internal static class Query
{
    private static readonly byte[] Question = "chordchat? 1"u8.ToArray();

    public static bool Is(ReadOnlySpan<byte> datagram) => datagram.TrimEnd("\r\n"u8).SequenceEqual(Question);

    /// <summary><c>chordchat! 1 CLUSTER NAME HOST:PORT</c>.</summary>
    public static byte[] Answer(string cluster, string name, HostPort address) =>
        Encoding.ASCII.GetBytes($"chordchat! 1 {cluster} {name} {address}");
}
