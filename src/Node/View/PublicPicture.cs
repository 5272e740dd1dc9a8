using System.Runtime.CompilerServices;
using ChordChat.Wire;

namespace ChordChat.Node.View;

/// <summary>What somebody without an operator's certificate is shown: the ring, and numbers in place of
/// people.</summary>
/// <remarks>docs/security.md. Nodes' own addresses stay: clients need them to move to another node.</remarks>
internal static class PublicPicture
{
    // One picture goes to all who watch, so it is made once.
    private static readonly ConditionalWeakTable<Snapshot, Snapshot> Made = [];

    public static Snapshot Of(Snapshot full) => Made.GetValue(full, Draw);

    private static Snapshot Draw(Snapshot full)
    {
        var shown = full.Clone();
        shown.NamesHidden = true;
        foreach (var node in shown.Nodes)
            node.Users.Clear();
        foreach (var happened in shown.Events)
            happened.Text = TextOf(happened);
        return shown;
    }

    /// <summary>In fixed words: texts for operators have addresses of now and before, and what other nodes
    /// say.</summary>
    private static string TextOf(ViewEvent happened) => happened.Kind switch
    {
        "joined" => $"{happened.Node} joined",
        "moved" => $"{happened.Node} has another address",
        "suspected" or "alive" or "left" or "tile_moved" => happened.Text,
        _ => $"{happened.Node}: {happened.Kind}",
    };
}
