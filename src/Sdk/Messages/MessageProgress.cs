namespace ChordChat.Sdk.Messages;

/// <summary>What somebody says became of a message of ours.</summary>
internal enum MessageReport
{
    /// <summary>A node has it.</summary>
    Queued,

    /// <summary>A node says that it is kept.</summary>
    Kept,

    /// <summary>A node says that it did not take effect.</summary>
    Refused,

    /// <summary>The recipient's client has it, under its own seal.</summary>
    Delivered,

    /// <summary>It was shown to the recipient, under their client's seal.</summary>
    Read,

    /// <summary>This device was replaced before it could send it.</summary>
    Left,

    /// <summary>Its sender wants it sent again.</summary>
    SentAgain,
}

/// <summary>How far a message of ours has come.</summary>
/// <param name="Copies">Names of the nodes that have it on disk: at least a majority once it is kept.</param>
/// <param name="Of">How many copies there should be; 0 when not known.</param>
/// <param name="Reachable">Of a kept message: who of its copies answered last, when these were fewer than a majority.
/// </param>
internal sealed record MessageProgress(
    MessageState State, IReadOnlyList<string> Copies, int Of, IReadOnlyList<string>? Reachable, string Note)
{
    /// <summary>What stands beside an unsent message that a node had.</summary>
    public const string PerhapsKept = "a node had it: it may have been kept";

    /// <summary>Reports come in any order, and some of them twice: what is a fact stays one. That a message was kept or
    /// has arrived is; that a node has it or refuses it now is not.</summary>
    public static MessageState Next(MessageState now, MessageReport report) => (now, report) switch
    {
        (MessageState.Read, _) or (_, MessageReport.Read) => MessageState.Read,
        (MessageState.Delivered, _) or (_, MessageReport.Delivered) => MessageState.Delivered,
        (MessageState.Kept, _) or (_, MessageReport.Kept) => MessageState.Kept,
        (MessageState.Refused, _) or (_, MessageReport.Refused) => MessageState.Refused,
        (MessageState.Unsent, MessageReport.Queued) => MessageState.Unsent, // Whoever has it may still lose it.
        (_, MessageReport.Left) => MessageState.Unsent,
        (MessageState.Queued, _) or (_, MessageReport.Queued) => MessageState.Queued,
        _ => MessageState.Waiting,
    };

    /// <summary>Whether that many nodes are a majority of the copies.</summary>
    public static bool IsMajority(int count, int of) => of > 0 && count * 2 > of;

    /// <param name="copies">Who has it on disk, says the node.</param>
    public MessageProgress After(MessageReport report, IReadOnlyList<string> copies, int of, string note)
    {
        if (of == 0)
            of = Of;
        if (report == MessageReport.Kept && !IsMajority(copies.Count, of))
        {
            // Kept was said earlier, or it is not true yet: these are who answers now.
            if (State == MessageState.Kept)
                return this with { Reachable = copies };
            report = MessageReport.Queued;
        }

        var state = Next(State, report);
        if (report == MessageReport.Left && State == MessageState.Queued)
            note = PerhapsKept;
        var isNoted = state != State && (note.Length > 0 || State == MessageState.Unsent);
        var next = this with { State = state, Of = of, Note = isNoted ? note : Note };
        var isNews = report switch
        {
            MessageReport.Kept => State <= MessageState.Kept || State > MessageState.Read
                || copies.Count >= Copies.Count,
            MessageReport.Queued => state == MessageState.Queued || copies.Count > Copies.Count,
            _ => false,
        };
        return isNews ? next with { Copies = copies, Reachable = null } : next;
    }
}
