namespace ChordChat.Node.Base;

/// <summary>Work of a node that goes on until it stops; <see cref="LoopHost{TLoop}"/> keeps it going.</summary>
internal interface ILoop
{
    /// <summary>Does the work until cancelled, or until nothing is left to do.</summary>
    /// <remarks>After an exception it is called again: what waited then is still to be done.</remarks>
    Task RunAsync(CancellationToken stopping);
}
