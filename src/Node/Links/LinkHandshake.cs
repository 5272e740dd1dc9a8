using ChordChat.Core.Ring;
using ChordChat.Core.Tiles.Disks;
using ChordChat.Node.Identity;
using ChordChat.Node.Storage;
using ChordChat.Wire;
using Grpc.Core;

namespace ChordChat.Node.Links;

/// <summary>The first frames of a link: both ends tell what their disks remember, and either may refuse the other
/// before any call is sent.</summary>
/// <remarks>docs/protocol.md#copied-and-restored-disks.</remarks>
internal sealed class LinkHandshake(
    RunTable runs, DiskMemory memory, DiskGuard guard, DiskWord word, LocalNode node, TimeProvider time)
{
    /// <summary>For the other end's first words.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>Commits on this node's disk: goes into every frame after the handshake.</summary>
    public ulong DurableSeq => runs.DurableSeq;

    /// <summary>Whether this node may send anything but the handshake.</summary>
    public bool MayServe => guard.IsOpen;

    public Task MayServeAsync(CancellationToken cancellation) => guard.OpenedAsync(cancellation);

    /// <summary>The caller's part, up to the point where this node itself may serve.</summary>
    /// <returns>The other end; null when one of the two was refused.</returns>
    /// <exception cref="IOException">It said nothing for too long.</exception>
    public async Task<LinkPeer?> CallAsync(
        NodeId peer,
        IClientStreamWriter<CallFrame> calls,
        IAsyncStreamReader<AnswerFrame> answers,
        CancellationToken cancellation)
    {
        if (await InTimeAsync(limited => GreetAsync(peer, calls, answers, limited), cancellation) is not { } known)
            return null;
        guard.WelcomedBy(peer);
        await guard.OpenedAsync(cancellation);
        return known;
    }

    private async Task<LinkPeer?> GreetAsync(
        NodeId peer,
        IClientStreamWriter<CallFrame> calls,
        IAsyncStreamReader<AnswerFrame> answers,
        CancellationToken cancellation)
    {
        var before = memory.Of(peer); // What it answers was said after this, so it must not be less.
        await calls.WriteAsync(new CallFrame { Hello = HelloOf(runs.History) }, cancellation);
        if (!await answers.MoveNext(cancellation) || IsRefused(peer, answers.Current.Refusal))
            return null;
        var told = answers.Current.Hello.ToCore();
        if (IsSelf(peer, told))
            return null;
        if (Refusal(peer, told, before, runs.History) is { } refusal)
        {
            await calls.WriteAsync(new CallFrame { Refusal = refusal }, cancellation);
            await calls.CompleteAsync();
            while (await answers.MoveNext(cancellation)) { } // Until it has read that.
            return null;
        }

        return new(peer, told, answers.Current.Hello.Signature.Memory, memory);
    }

    /// <summary>The callee's part.</summary>
    /// <returns>The other end; null when it was refused or hung up.</returns>
    /// <exception cref="IOException">It said nothing for too long.</exception>
    public async Task<LinkPeer?> AnswerAsync(
        NodeId peer,
        IAsyncStreamReader<CallFrame> calls,
        IServerStreamWriter<AnswerFrame> answers,
        CancellationToken cancellation)
    {
        if (!await InTimeAsync(calls.MoveNext, cancellation))
            return null;
        var told = calls.Current.Hello.ToCore();
        var own = runs.History;
        if (!IsSelf(peer, told) && Refusal(peer, told, null, own) is { } refusal)
        {
            await answers.WriteAsync(new AnswerFrame { Refusal = refusal }, cancellation);
            return null;
        }

        await answers.WriteAsync(new AnswerFrame { Hello = HelloOf(own) }, cancellation);
        return new(peer, told, calls.Current.Hello.Signature.Memory, memory);
    }

    /// <summary>Whether the other end refuses this node; then it ends here.</summary>
    public bool IsRefused(NodeId by, DiskRefusal? refusal)
    {
        if (refusal is null)
            return false;
        // Whoever has this node's own key needs no other proof.
        guard.RefusedBy(by, refusal.Seen.ToCore(), isProven: by == node.Self.Node);
        if (refusal.Signed is { } signed && word.IsOwn(signed.ToCore(), signed.Signature.Span))
            guard.RefusedBy(by, signed.ToCore(), isProven: true);
        return true;
    }

    private DiskHello HelloOf(DiskHistory own)
    {
        var hello = own.ToWire();
        hello.Signature = Google.Protobuf.ByteString.CopyFrom(word.Sign(own.Sighting));
        return hello;
    }

    private async Task<T> InTimeAsync<T>(Func<CancellationToken, Task<T>> hearing, CancellationToken cancellation)
    {
        using var patience = new CancellationTokenSource(Patience, time);
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellation);
        try
        {
            return await hearing(limited.Token);
        }
        catch (Exception e) when (e is OperationCanceledException or RpcException
            && patience.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            throw new IOException($"nothing was said for {Patience.TotalSeconds} s", e);
        }
    }

    private bool IsSelf(NodeId peer, DiskHistory told) => peer == node.Self.Node && told.Now == runs.Now;

    /// <summary>What is wrong with the other end; null when it may speak. A process with this node's own identity
    /// either gets everything or is refused.</summary>
    private DiskRefusal? Refusal(NodeId peer, DiskHistory told, DiskSighting? before, DiskHistory own)
    {
        if (peer != node.Self.Node && before is { } seen && told.JudgedBy(seen) != DiskVerdict.Whole)
            return RefusalOf(peer, seen);
        if (peer != node.Self.Node)
            return memory.MaySpeak(peer, told) ? null : RefusalOf(peer, memory.Of(peer)!.Value);
        if (!own.GivesWayTo(told))
            return new() { Seen = own.Sighting.ToWire() };
        guard.GiveWay();
        return null;
    }

    private DiskRefusal RefusalOf(NodeId peer, DiskSighting seen) => new()
    {
        Seen = seen.ToWire(),
        Signed = memory.SignedOf(peer)?.ToWire(),
    };
}

/// <summary>The other end of a link after the handshake.</summary>
internal sealed class LinkPeer(NodeId node, DiskHistory told, ReadOnlyMemory<byte> signature, DiskMemory memory)
{
    private bool _isAdmitted;

    /// <summary>Before anything in a frame is believed.</summary>
    /// <returns>False: this start of the node must not be listened to any more; end the link.</returns>
    public bool MaySpeak(ulong durableSeq)
    {
        if (!_isAdmitted)
        {
            _isAdmitted = memory.Admit(node, told with { DurableSeq = durableSeq });
            memory.Keep(node, told.Sighting, signature);
            return _isAdmitted;
        }

        return memory.Follow(node, told.Sighting with { DurableSeq = durableSeq });
    }
}
