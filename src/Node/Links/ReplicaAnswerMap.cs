using System.Collections.Immutable;
using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Sets;
using ChordChat.Node.Base;
using ChordChat.Wire;
using Google.Protobuf;

namespace ChordChat.Node.Links;

/// <summary>Replica replies as answers and back.</summary>
internal static class ReplicaAnswerMap
{
    private static readonly ReplicaReply.Accepted Accepted = new();
    private static readonly ReplicaReply.Acknowledged Acknowledged = new();

    public static Answer ToWire(this ReplicaReply reply) => reply switch
    {
        ReplicaReply.Added added => new() { Added = added.Arrival },
        ReplicaReply.Buried => new() { Buried = ReplicaMap.Nothing },
        ReplicaReply.Full => new() { Full = ReplicaMap.Nothing },
        ReplicaReply.Occupied => new() { Occupied = ReplicaMap.Nothing },
        ReplicaReply.NoRoom => new() { NoRoom = ReplicaMap.Nothing },
        ReplicaReply.TooMany => new() { TooMany = ReplicaMap.Nothing },
        ReplicaReply.NoSuchRow => new() { Failed = new() { Text = "malformed name" } },
        ReplicaReply.NotAllowed(var why) => new() { Failed = new() { Text = why } },
        ReplicaReply.Acknowledged => new() { Acknowledged = ReplicaMap.Nothing },
        ReplicaReply.Scanned scanned => new()
        {
            Scanned = new()
            {
                Messages =
                {
                    scanned.Messages.Select(m =>
                        new WireMessage { Id = m.Id.ToWire(), Content = m.Content.ToWire() }),
                },
                Next = scanned.Next,
                More = scanned.More,
            },
        },
        ReplicaReply.Promised promised => new() { Promised = ToWire(promised.AcceptedBallot, promised.Value) },
        ReplicaReply.Peeked peeked => new() { Peeked = ToWire(peeked.AcceptedBallot, peeked.Value) },
        ReplicaReply.Accepted => new() { Accepted = ReplicaMap.Nothing },
        ReplicaReply.Nack nack => new() { Nack = nack.Highest.ToWire() },
        ReplicaReply.SealGranted granted => new()
        {
            SealGranted = new()
            {
                AcceptedBallot = granted.AcceptedBallot.ToWire(),
                Vote = granted.Vote?.ToWire(),
            },
        },
        ReplicaReply.Pulled pulled => new() { Pulled = ToWire(pulled) },
        ReplicaReply.Standing standing => new()
        {
            Standing = new()
            {
                Newest = standing.Newest.ToWire(),
                Phase = (uint)standing.Phase,
                Previous = standing.Previous?.ToWire(),
                WasAway = standing.WasAway,
                Vote = standing.Vote?.ToWire(),
                MayEnd = standing.MayEnd,
            },
        },
        ReplicaReply.Stale stale => new()
        {
            Stale = new() { Newest = stale.Newest.ToWire(), Previous = stale.Previous?.ToWire() },
        },
        ReplicaReply.Behind behind => new() { Behind = behind.Configuration.ToWire() },
        ReplicaReply.Sealed => new() { Sealed = ReplicaMap.Nothing },
        ReplicaReply.WrongTile => new() { WrongTile = ReplicaMap.Nothing },
        ReplicaReply.TooLate late => new() { TooLate = new() { NowMs = late.NowMs } },
        ReplicaReply.Ages ages => new()
        {
            Ages = UnsafeByteOperations.UnsafeWrap(ages.Of.Select(age => (byte)age).ToArray()),
        },
        ReplicaReply.Forgotten => new() { Forgotten = ReplicaMap.Nothing },
        ReplicaReply.Differing differing => new() { Differing = differing.ToWire() },
        _ => throw new InvalidOperationException($"{reply.GetType().Name} is never sent to another node"),
    };

    /// <summary>The reply that an answer carries, or null when it carries a failure or something else.</summary>
    /// <exception cref="MalformedException">A field is not what this version writes.</exception>
    public static ReplicaReply? ToReplicaReply(this Answer answer) => answer.BodyCase switch
    {
        Answer.BodyOneofCase.Added => new ReplicaReply.Added(answer.Added),
        Answer.BodyOneofCase.Buried => new ReplicaReply.Buried(),
        Answer.BodyOneofCase.Full => new ReplicaReply.Full(),
        Answer.BodyOneofCase.Occupied => new ReplicaReply.Occupied(),
        Answer.BodyOneofCase.NoRoom => new ReplicaReply.NoRoom(),
        Answer.BodyOneofCase.TooMany => new ReplicaReply.TooMany(),
        Answer.BodyOneofCase.Acknowledged => Acknowledged,
        Answer.BodyOneofCase.Scanned => new ReplicaReply.Scanned(
            [.. answer.Scanned.Messages.Select(m => new SetMessage(m.Id.ToMessageId(), m.Content.ToContent()))],
            answer.Scanned.Next, answer.Scanned.More),
        Answer.BodyOneofCase.Promised => new ReplicaReply.Promised(
            answer.Promised.AcceptedBallot.ToCore(), answer.Promised.Value.ToContent()),
        Answer.BodyOneofCase.Peeked => new ReplicaReply.Peeked(
            answer.Peeked.AcceptedBallot.ToCore(), answer.Peeked.Value.ToContent()),
        Answer.BodyOneofCase.Accepted => Accepted,
        Answer.BodyOneofCase.Nack => new ReplicaReply.Nack(answer.Nack.ToCore()),
        Answer.BodyOneofCase.SealGranted => new ReplicaReply.SealGranted(
            answer.SealGranted.AcceptedBallot.ToCore(),
            answer.SealGranted.Vote is { } vote ? vote.ToCore() : null),
        Answer.BodyOneofCase.Pulled => ToCore(answer.Pulled),
        Answer.BodyOneofCase.Standing => new ReplicaReply.Standing(
            answer.Standing.Newest.ToCore(),
            answer.Standing.Phase <= (uint)TilePhase.Away
                ? (TilePhase)answer.Standing.Phase : throw new MalformedException("phase"),
            answer.Standing.Previous.Before(answer.Standing.Newest.ToCore()), answer.Standing.WasAway,
            answer.Standing.Vote is { } next ? next.After(answer.Standing.Newest.ToCore().At) : null,
            answer.Standing.MayEnd),
        Answer.BodyOneofCase.Stale => new ReplicaReply.Stale(
            answer.Stale.Newest.ToCore(), answer.Stale.Previous.Before(answer.Stale.Newest.ToCore())),
        Answer.BodyOneofCase.Behind => new ReplicaReply.Behind(answer.Behind.ToCore()),
        Answer.BodyOneofCase.Sealed => new ReplicaReply.Sealed(),
        Answer.BodyOneofCase.WrongTile => new ReplicaReply.WrongTile(),
        Answer.BodyOneofCase.TooLate => new ReplicaReply.TooLate(answer.TooLate.NowMs),
        Answer.BodyOneofCase.Ages => new ReplicaReply.Ages([.. answer.Ages.Select(ToAge)]),
        Answer.BodyOneofCase.Forgotten => new ReplicaReply.Forgotten(),
        Answer.BodyOneofCase.Differing => answer.Differing.ToCore(),
        _ => null,
    };

    private static PromisedAnswer ToWire(Ballot accepted, ReadOnlyMemory<byte> value) =>
        new() { AcceptedBallot = accepted.ToWire(), Value = value.ToWire() };

    private static PulledAnswer ToWire(ReplicaReply.Pulled pulled) => new()
    {
        Registers =
        {
            pulled.Page.Registers.Select(r => new WireRegister
            {
                Key = r.Key,
                AcceptedBallot = r.AcceptedBallot.ToWire(),
                Value = r.Value.ToWire(),
            }),
        },
        Entries = { pulled.Page.Entries.Select(ToWire) },
        Next = pulled.Page.Next?.ToWire(),
        Complete = pulled.Complete,
        RanMs = pulled.Page.RanMs,
    };

    private static WireEntry ToWire(TransferredEntry entry)
    {
        var wire = new WireEntry { Set = entry.Set, Id = entry.Id.ToWire(), SinceMs = entry.SinceMs };
        if (entry.Content is { } content)
            wire.Content = content.ToWire();
        return wire;
    }

    private static ReplicaReply.Pulled ToCore(PulledAnswer pulled)
    {
        var registers = pulled.Registers.Select(r =>
            new TransferredRegister(r.Key.ToName(), r.AcceptedBallot.ToCore(), r.Value.ToContent())).ToImmutableArray();
        var entries = pulled.Entries.Select(e => new TransferredEntry(
            e.Set.ToName(), e.Id.ToMessageId(),
            e.HasContent ? e.Content.ToContent() : (ReadOnlyMemory<byte>?)null, e.SinceMs))
            .ToImmutableArray();
        var next = pulled.Next is null ? (TileCursor?)null : pulled.Next.ToCore();
        return new(new TilePage(registers, entries, next, pulled.RanMs), pulled.Complete);
    }

    private static EntryAge ToAge(byte age) =>
        age <= (byte)EntryAge.OldTombstone ? (EntryAge)age : throw new MalformedException("age");
}
