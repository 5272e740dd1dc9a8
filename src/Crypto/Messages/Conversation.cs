using ChordChat.Crypto.Formats;

namespace ChordChat.Crypto.Messages;

/// <summary>Names what two people say to each other.</summary>
public static class Conversation
{
    /// <summary>conv = H("conv-direct", cluster | s8 smaller name | s8 larger name): the same for both.</summary>
    /// <exception cref="ArgumentException">A name is not valid.</exception>
    public static Digest Between(ClusterId cluster, string a, string b)
    {
        var (first, second) = string.CompareOrdinal(a, b) < 0 ? (a, b) : (b, a);
        return Digest.Of(
            Labels.DirectConversation, new Writer().Cluster(cluster).User(first).User(second).Finish());
    }
}
