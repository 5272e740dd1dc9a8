namespace ChordChat.Node.Base;

/// <summary>What a process of this program ends with; docs/operations.md lists them for operators.</summary>
internal enum ExitCode
{
    Done = 0,

    /// <summary>A bug or something nobody foresaw; the text before it says what.</summary>
    Unexpected = 1,

    /// <summary>Options are wrong; all of them are named.</summary>
    Usage = 2,

    /// <summary>There is no node (or no cluster) in the folder.</summary>
    NoNode = 3,

    /// <summary>The folder's data belong to another node or another cluster than its identity.</summary>
    Foreign = 4,

    /// <summary>Files of the folder are damaged or missing.</summary>
    Damaged = 5,

    /// <summary>Another version of the program wrote the folder.</summary>
    Newer = 6,

    /// <summary>Another process uses the folder.</summary>
    AlreadyRunning = 7,

    /// <summary>The port is taken or the address is not this machine's.</summary>
    CannotListen = 8,

    /// <summary>The disk failed or is full: a write that must not be lost could not be made.</summary>
    Storage = 9,

    /// <summary>Another node did not answer, or said no.</summary>
    Unreachable = 10,

    /// <summary>The doctor found something that fails.</summary>
    Unhealthy = 11,

    /// <summary>Some tile cannot do without this node now.</summary>
    NotSafe = 12,

    /// <summary>The operator has revoked this node's certificate.</summary>
    Revoked = 13,

    /// <summary>This machine's clock and a certificate do not agree.</summary>
    WrongTime = 14,

    /// <summary>The node was drained: it has gone for good.</summary>
    Drained = 15,
}
