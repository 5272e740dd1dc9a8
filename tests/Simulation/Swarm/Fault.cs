using System.Globalization;

namespace ChordChat.Tests.Simulation.Swarm;

/// <summary>What can go wrong, or be done to a cluster while it works.</summary>
internal enum FaultKind
{
    /// <summary>kill -9; the open transaction is lost, survives or is torn.</summary>
    Crash,

    /// <summary>All processes at once.</summary>
    PowerCut,

    /// <summary>The next sync fails: the process must end.</summary>
    SyncFails,

    /// <summary>Each sync takes up to 5 s.</summary>
    SlowDisk,

    /// <summary>SIGSTOP, later SIGCONT.</summary>
    Pause,

    /// <summary>The network falls into two parts.</summary>
    Split,

    /// <summary>What one part says does not reach the other.</summary>
    OneWay,

    /// <summary>Much is lost, doubled and overtaken.</summary>
    Noise,

    /// <summary>A wall clock jumps by up to ten minutes, either way.</summary>
    ClockJump,

    /// <summary>A new node.</summary>
    Join,

    /// <summary>A node announces that it goes, hands over its tiles and is gone for ever.</summary>
    Leave,

    /// <summary>SIGTERM: a node hands over what it can, ends, and comes back.</summary>
    Stop,

    /// <summary>SIGTERM to all of them, in order.</summary>
    RollingRestart,

    /// <summary>Somebody founds a second cluster in earshot.</summary>
    Strangers,

    /// <summary>A disk is lost with its node, for ever; as long as its tiles can spare it.</summary>
    Destroy,

    /// <summary>A bit flips in a row that decides what a node may promise.</summary>
    FlipRow,

    /// <summary>A bit flips in a message.</summary>
    FlipMessage,

    /// <summary>A node is started on an older copy of its disk.</summary>
    Rollback,

    /// <summary>A copy of a node's disk is started on a second machine.</summary>
    Clone,

    /// <summary>Somebody changes a tile's members who is not its steward, to whomever he likes.</summary>
    RivalSteward,

    /// <summary>Somebody cuts a tile in two.</summary>
    CutTile,

    /// <summary>A node tells everybody that the ring is broken.</summary>
    FalseAlarm,
}

/// <summary>One fault, drawn before the run begins; what it hits depends on who is there when it comes.</summary>
/// <param name="Where">Chooses the node or the sides.</param>
/// <param name="For">How long until it is undone, for those that are.</param>
/// <param name="How">Chooses what is left open.</param>
internal sealed record Fault(TimeSpan At, FaultKind Kind, ulong Where, TimeSpan For, ulong How)
{
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"{At.TotalSeconds,8:f3} s {Kind} for {For.TotalSeconds:f3} s");
}
