using ChordChat.Core.Ring;

namespace ChordChat.Core.Tiles.Epochs;

/// <summary>A node that a learner asks, and how far it has got with it.</summary>
internal sealed class LearnerSource(NodeId node)
{
    public NodeId Node => node;

    public ReplicaRequest.Pull? Asked { get; set; }

    /// <summary>Where to go on; null after the last page.</summary>
    public TileCursor? Next { get; set; }

    public bool Complete { get; set; }

    public bool Finished { get; set; }

    public bool Failed { get; set; }

    /// <summary>It answered what no honest member answers, or what the own replica cannot take, so this learner does
    /// not ask it again.</summary>
    public bool IsFaulty { get; set; }

    /// <summary>Its page is being united, or it rests.</summary>
    public bool IsHeld { get; set; }

    /// <summary>A page has come since all were last asked.</summary>
    public bool HasBrought { get; set; }

    /// <summary>Whether it may be asked from the beginning.</summary>
    public bool IsIdle => Asked is null && !Finished && !IsFaulty && !IsHeld;
}
