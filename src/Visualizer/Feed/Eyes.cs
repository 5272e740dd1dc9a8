namespace ChordChat.Visualizer.Feed;

/// <summary>Through whose eyes the ring is seen, or why through nobody's.</summary>
/// <param name="State">watching or searching.</param>
/// <param name="Node">The watched node's name; empty while searching.</param>
/// <param name="Address">Its address.</param>
/// <param name="Rounds">How many times all addresses have been tried in vain since a node last answered.</param>
/// <param name="Tried">The addresses of the last round.</param>
/// <param name="Text">What a person should know beyond that; mostly empty.</param>
/// <param name="Silent">A node that has just stopped answering us, whatever the ring says; mostly empty.</param>
/// <param name="Notes">The newest things that happened to the view itself, oldest first.</param>
internal sealed record Eyes(
    string State,
    string Node,
    string Address,
    int Rounds,
    IReadOnlyList<string> Tried,
    string Text,
    string Silent,
    IReadOnlyList<EyesNote> Notes)
{
    public const string Watching = "watching";
    public const string Searching = "searching";
    private const int NotesMax = 20;

    public static Eyes Closed { get; } = new(Searching, "", "", 0, [], "", "", []);

    public Eyes With(EyesNote note) => this with { Notes = [.. Notes.TakeLast(NotesMax - 1), note] };
}

/// <summary>Shaped like a ViewEvent, so that the page can show both in one list.</summary>
internal sealed record EyesNote(long AtMs, string Kind, string Node, string Text)
{
    public EyesNote(DateTimeOffset at, string node, string text)
        : this(at.ToUnixTimeMilliseconds(), "eyes", node, text)
    {
    }
}
