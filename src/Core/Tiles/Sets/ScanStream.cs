using ChordChat.Core.Ring;

namespace ChordChat.Core.Tiles.Sets;

/// <summary>One member's part of a scan: where its pages stand and what they brought. docs/protocol.md#endless
/// </summary>
/// <param name="before">The same member's part before the scan began again.</param>
internal sealed class ScanStream(NodeId node, ScanStream? before = null)
{
    private long _rows; // Of one reading from the beginning.
    private long _bytes;
    private long _heldRows; // Of all readings: what is held of them.
    private long _heldBytes;

    public enum Standing
    {
        Unasked,
        Reading,
        Paused,
        Finished,
        Failed,
    }

    public NodeId Node => node;

    public Standing State { get; private set; } = before?.IsFaulty == true ? Standing.Failed : Standing.Unasked;

    public ReplicaRequest.Scan? Asked { get; private set; }

    /// <summary>Where the next page begins.</summary>
    public long Next { get; private set; }

    /// <summary>It answered what no honest member answers, so this scan does not ask it again.</summary>
    public bool IsFaulty { get; private set; } = before?.IsFaulty == true;

    /// <summary>It did not take a repair: it is read again only after the others.</summary>
    public bool RefusesRepairs { get; private set; } = before?.RefusesRepairs == true;

    /// <summary>Rows that no honest member shows, in all readings.</summary>
    public long RowsPassedOver { get; private set; }

    public void PassOver(int rows) => RowsPassedOver += rows;

    public void Ask(ReplicaRequest.Scan page)
    {
        if (page.After == 0)
            (_rows, _bytes) = (0, 0);
        (State, Asked) = (Standing.Reading, page);
    }

    /// <summary>A late page is not awaited any more; should it be needed after all, it is read from the beginning.
    /// </summary>
    public void Forget() =>
        (State, Asked) = (State is Standing.Reading ? Standing.Unasked : State, null);

    public void Fail(bool isFaulty)
    {
        (State, Asked) = (Standing.Failed, null);
        IsFaulty |= isFaulty;
    }

    public void RefuseRepairs()
    {
        Fail(isFaulty: false);
        RefusesRepairs = true;
    }

    /// <summary>Takes the page that was asked for.</summary>
    /// <param name="delivered">How much a majority has shown: no member shows more than that and what is its own.
    /// </param>
    /// <returns>False: no honest member answers this.</returns>
    public bool Take(ReplicaReply.Scanned page, SetLimits limits, (long Rows, long Bytes) delivered)
    {
        var bytes = page.Messages.Sum(message => (long)message.Content.Length);
        if (!IsPage(page, bytes, Asked!))
            return false;
        _rows += page.Messages.Length;
        _bytes += bytes;
        if (_rows > (2L * limits.CountMax) + delivered.Rows || _bytes > (2 * limits.BytesMax) + delivered.Bytes)
            return false;
        (State, Asked, Next) = (page.More ? Standing.Paused : Standing.Finished, null, page.Next);
        return true;
    }

    /// <summary>A message that it has shown is held until enough others have shown it.</summary>
    public void Hold(int bytes) => (_heldRows, _heldBytes) = (_heldRows + 1, _heldBytes + bytes);

    public void Release(int bytes) => (_heldRows, _heldBytes) = (_heldRows - 1, _heldBytes - bytes);

    /// <summary>Whether more is held of it than any honest member has.</summary>
    public bool HoldsTooMuch(SetLimits limits) => _heldRows > 2L * limits.CountMax || _heldBytes > 2 * limits.BytesMax;

    /// <summary>A page ends with the row that fills it, and only a full one is followed by another.</summary>
    private static bool IsPage(ReplicaReply.Scanned page, long bytes, ReplicaRequest.Scan asked)
    {
        var bytesBeforeLast = page.Messages is [.., var last] ? bytes - last.Content.Length : 0;
        if (page.Messages.Length > asked.RowsMax || bytesBeforeLast >= Replica.PageBytesMax)
            return false;
        return !page.More
            || (page.Next > asked.After
                && (page.Messages.Length == asked.RowsMax || bytes >= Replica.PageBytesMax));
    }
}
