using ChordChat.Wire;

namespace ChordChat.Node.Base;

/// <summary>Makes what other nodes say safe for an operator's terminal, here at the edge, as clients do.</summary>
/// <remarks>docs/e2e.md, Harmless.</remarks>
internal static class PeerWords
{
    /// <inheritdoc cref="NodeWords.Name"/>
    public static string Name(string said) => NodeWords.Name(said);

    /// <inheritdoc cref="NodeWords.Text"/>
    public static string Text(string said) => NodeWords.Text(said);

    /// <inheritdoc cref="NodeWords.Quote"/>
    public static string Quote(string said) => NodeWords.Quote(said);
}
