using ChordChat.Wire;

namespace ChordChat.Node.Transport;

/// <summary>What other nodes say, as an operator's terminal may show it: at this edge, as at a client's.</summary>
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
