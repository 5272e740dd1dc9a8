using System.Collections.Immutable;
using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Sets;
using ChordChat.Node.Base;
using ChordChat.Wire;
using Google.Protobuf;
using Google.Protobuf.Collections;

namespace ChordChat.Node.Links;

/// <summary>Replica requests as calls and back.</summary>
internal static class ReplicaCallMap
{
    public static Call ToWire(this ReplicaRequest request)
    {
        var call = new Call { At = request.At.ToWire() };
        switch (request)
        {
            case ReplicaRequest.Add add:
                call.Add = ToWire(add);
                break;
            case ReplicaRequest.Acknowledge acknowledge:
                call.Acknowledge = new() { Set = acknowledge.Set, Ids = { acknowledge.Ids.Select(id => id.ToWire()) } };
                break;
            case ReplicaRequest.Scan scan:
                call.Scan = new() { Set = scan.Set, After = scan.After, RowsMax = scan.RowsMax };
                break;
            case ReplicaRequest.Prepare prepare:
                call.Prepare = new() { Key = prepare.Key, Ballot = prepare.Ballot.ToWire() };
                break;
            case ReplicaRequest.Accept accept:
                call.Accept =
                    new() { Key = accept.Key, Ballot = accept.Ballot.ToWire(), Value = accept.Value.ToWire() };
                break;
            case ReplicaRequest.Peek peek:
                call.Peek = new() { Key = peek.Key };
                break;
            case ReplicaRequest.Seal seal:
                call.Seal = seal.Ballot.ToWire();
                break;
            case ReplicaRequest.Decide decide:
                call.Decide = new() { Ballot = decide.Ballot.ToWire(), Next = decide.Next.ToWire() };
                break;
            case ReplicaRequest.NewConfiguration decided:
                call.NewConfiguration = new() { Next = decided.Next.ToWire(), Previous = decided.Previous?.ToWire() };
                break;
            case ReplicaRequest.Pull pull:
                call.Pull = pull.ToWire();
                break;
            case ReplicaRequest.GetConfiguration:
                call.GetConfiguration = ReplicaMap.Nothing;
                break;
            case ReplicaRequest.Compare compare:
                call.Compare = compare.ToWire();
                break;
            case ReplicaRequest.Missing missing:
                call.Missing = missing.ToWire();
                break;
            case ReplicaRequest.GetAges ages:
                call.GetAges = new() { Set = ages.Set, Ids = { ages.Ids.Select(id => id.ToWire()) } };
                break;
            case ReplicaRequest.Forget forget:
                call.Forget = new() { Set = forget.Set, Ids = { forget.Ids.Select(id => id.ToWire()) } };
                break;
            default:
                throw new InvalidOperationException($"{request.GetType().Name} is never sent to another node");
        }

        return call;
    }

    /// <summary>The replica request that a call carries, or null when it carries something else.</summary>
    /// <exception cref="MalformedException">A field is not what this version writes.</exception>
    public static ReplicaRequest? ToReplicaRequest(this Call call) => call.BodyCase switch
    {
        Call.BodyOneofCase.Add => new ReplicaRequest.Add(
            call.At.ToCore(), call.Add.Set.ToName(), call.Add.Id.ToMessageId(), call.Add.Content.ToContent(),
            call.Add.SentMs, call.Add.From.ToUserOrNobody()),
        Call.BodyOneofCase.Acknowledge => new ReplicaRequest.Acknowledge(
            call.At.ToCore(), call.Acknowledge.Set.ToName(),
            Ids(call.Acknowledge.Ids, SetAcknowledge.IdsMax)),
        Call.BodyOneofCase.Scan => new ReplicaRequest.Scan(
            call.At.ToCore(), call.Scan.Set.ToName(), call.Scan.After, Math.Clamp(call.Scan.RowsMax, 1, 1_024)),
        Call.BodyOneofCase.Prepare => new ReplicaRequest.Prepare(
            call.At.ToCore(), call.Prepare.Key.ToName(), call.Prepare.Ballot.ToCore()),
        Call.BodyOneofCase.Accept => new ReplicaRequest.Accept(
            call.At.ToCore(), call.Accept.Key.ToName(), call.Accept.Ballot.ToCore(), call.Accept.Value.ToContent()),
        Call.BodyOneofCase.Peek => new ReplicaRequest.Peek(call.At.ToCore(), call.Peek.Key.ToName()),
        Call.BodyOneofCase.Seal => new ReplicaRequest.Seal(call.At.ToCore(), call.Seal.ToCore()),
        Call.BodyOneofCase.Decide => new ReplicaRequest.Decide(
            call.At.ToCore(), call.Decide.Ballot.ToCore(), call.Decide.Next.After(call.At.ToCore())),
        Call.BodyOneofCase.NewConfiguration => new ReplicaRequest.NewConfiguration(
            call.NewConfiguration.Next.ToCore(),
            call.NewConfiguration.Previous.Before(call.NewConfiguration.Next.ToCore())),
        Call.BodyOneofCase.Pull => call.Pull.ToCore(call.At.ToCore()),
        Call.BodyOneofCase.GetConfiguration => new ReplicaRequest.GetConfiguration(call.At.ToCore().Tile),
        Call.BodyOneofCase.Compare => call.Compare.ToCore(),
        Call.BodyOneofCase.Missing => call.Missing.ToCore(call.At.ToCore()),
        Call.BodyOneofCase.GetAges => new ReplicaRequest.GetAges(
            call.At.ToCore(), call.GetAges.Set.ToName(), Ids(call.GetAges.Ids, TombstoneCollector.IdsMax)),
        Call.BodyOneofCase.Forget => new ReplicaRequest.Forget(
            call.At.ToCore(), call.Forget.Set.ToName(), Ids(call.Forget.Ids, TombstoneCollector.IdsMax)),
        _ => null,
    };

    private static AddCall ToWire(ReplicaRequest.Add add) =>
        new()
        {
            Set = add.Set,
            Id = add.Id.ToWire(),
            Content = add.Content.ToWire(),
            SentMs = add.SentMs,
            From = add.From,
        };

    private static ImmutableArray<MessageId> Ids(RepeatedField<ByteString> ids, int most) => ids.Count <= most
        ? [.. ids.Select(id => id.ToMessageId())]
        : throw new MalformedException("number of ids");
}
