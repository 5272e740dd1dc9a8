namespace ChordChat.Tests.Simulation.Ring;

/// <summary>A question or a sentence, or the answer to the question of that number.</summary>
/// <param name="Call">0 when no answer is awaited.</param>
internal sealed record RingMessage(ulong Call, bool IsAnswer, object Body)
{
    public override string ToString() => $"{(IsAnswer ? "answer" : "call")} {Call}: {Body}";
}

/// <summary>What nodes ask each other; the names are those of protos/chordchat/v1/ring.proto.</summary>
internal static class Request
{
    internal sealed record GetRing;

    internal sealed record Alive;

    internal sealed record Notify;

    internal sealed record Ping(Core.Ring.MembershipEffect.Ping Body)
    {
        public override string ToString() => $"Ping {Body.Probe} with {Body.Gossip.Length} records";
    }

    internal sealed record PingFor(Core.Ring.Peer Target);

    internal sealed record Pong(Core.Ring.MembershipEffect.Reply Body);
}
