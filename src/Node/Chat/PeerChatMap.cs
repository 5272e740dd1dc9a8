using ChordChat.Core.Chat;
using ChordChat.Crypto.Keys;
using ChordChat.Crypto.Messages;
using ChordChat.Crypto.Sessions;
using ChordChat.Node.Base;
using ChordChat.Node.Links;
using ChordChat.Node.Tiles;
using ChordChat.Wire;
using Google.Protobuf;

namespace ChordChat.Node.Chat;

/// <summary>What nodes say to each other of sessions and deliveries: domain on one side, Wire on the other.</summary>
internal static class PeerChatMap
{
    public const int UsersMax = 4_096;
    private const int PlaceMax = 64;

    public static WireLease ToWire(this Lease lease) => new()
    {
        User = lease.User,
        Session = lease.Session,
        Node = lease.Node.ToWire(),
        SinceMs = lease.SinceMs,
    };

    public static Lease ToLease(this WireLease? lease) => lease is null or { Session: > SessionRecord.NumberMax }
        ? throw new MalformedException("lease")
        : new(lease.User.ToUser(), lease.Session, lease.Node.ToNodeId(), lease.SinceMs);

    public static Guess ToGuess(this CountGuessCall call) => new(
        call.User.ToUser(),
        call.Place.Length switch
        {
            0 => "unknown",
            <= PlaceMax => call.Place,
            _ => throw new MalformedException("place"),
        },
        call.Succeeded ? GuessStep.Succeeded : call.Forgiven ? GuessStep.Forgiven : GuessStep.Try);

    /// <param name="count">How many leases were asked to be renewed: an answer has as many.</param>
    public static IReadOnlyList<LeaseAnswer> ToCore(this RenewLeasesAnswer answer, int count) =>
        answer.Leases.Count == count
            ? [.. answer.Leases.Select(one => new LeaseAnswer(
                one.Current.ToLease(), Math.Max(0, one.Pending), one.Unproven))]
            : throw new MalformedException("number of leases");

    public static LeaseRenewalAnswer ToWire(this LeaseAnswer answer) => new()
    {
        Current = answer.Current.ToWire(),
        Pending = answer.PendingCount,
        Unproven = answer.IsUnproven,
    };

    public static LeaseFound ToCore(this FindLeaseAnswer answer) => new(answer.Lease?.ToLease());

    public static HelloFound ToCore(this FindHelloAnswer answer) => new(answer.Hello?.ToCore());

    public static IReadOnlyList<Lease> ToCore(this ListSessionsAnswer answer) =>
        [.. answer.Leases.Select(lease => lease.ToLease())];

    public static TimeSpan ToCore(this CountGuessAnswer answer) =>
        TimeSpan.FromMilliseconds(Math.Clamp(answer.WaitMs, 0, (long)GuessThrottle.WaitMax.TotalMilliseconds));

    public static ShowSessionCall ToWire(this KeptHello kept) => new()
    {
        User = kept.Hello.User,
        Epoch = kept.Hello.Epoch,
        NodeNonce = UnsafeByteOperations.UnsafeWrap(kept.NodeNonce),
        ClientNonce = UnsafeByteOperations.UnsafeWrap(kept.Hello.ClientNonce),
        Signature = UnsafeByteOperations.UnsafeWrap(kept.Hello.Signature),
    };

    public static KeptHello ToCore(this ShowSessionCall call) =>
        call.ClientNonce.Length == SessionProof.NonceBytes && call.NodeNonce.Length == SessionProof.NonceBytes
        && call.Signature.Length == DevicePublicKey.SignatureBytes
            ? new(
                new(call.User.ToUser(), call.Epoch, call.ClientNonce.Memory, call.Signature.Memory, Client: ""),
                call.NodeNonce.Memory)
            : throw new MalformedException("session proof");

    public static ShownAnswer.Types.Right ToWire(this SessionRight right) => right switch
    {
        SessionRight.Send => ShownAnswer.Types.Right.Send,
        SessionRight.Read => ShownAnswer.Types.Right.Read,
        SessionRight.Change => ShownAnswer.Types.Right.Change,
        _ => ShownAnswer.Types.Right.None,
    };

    public static SessionRight ToCore(this ShownAnswer answer) => answer.Right switch
    {
        ShownAnswer.Types.Right.Send => SessionRight.Send,
        ShownAnswer.Types.Right.Read => SessionRight.Read,
        ShownAnswer.Types.Right.Change => SessionRight.Change,
        _ => SessionRight.None,
    };

    public static LiveMessage ToCore(this DeliverCall call)
    {
        var id = call.Id.ToMessageId();
        return EnvelopeHeader.TryParse(call.Envelope.Span)?.Id.Value == id.Value
            ? new(call.User.ToUser(), call.Session, id, call.Envelope.Memory, call.From.ToUserOrNobody())
            : throw new MalformedException("envelope");
    }

    public static DeliverCall ToWire(this LiveMessage message) => new()
    {
        User = message.User,
        Session = message.Session,
        Id = message.Id.ToWire(),
        Envelope = UnsafeByteOperations.UnsafeWrap(message.Envelope),
        From = message.From,
    };

    public static DeliverAnswer.Types.Result ToWire(this DeliverOutcome outcome) => outcome switch
    {
        DeliverOutcome.Delivered => DeliverAnswer.Types.Result.Delivered,
        DeliverOutcome.TooSlow => DeliverAnswer.Types.Result.TooSlow,
        _ => DeliverAnswer.Types.Result.NotHere,
    };

    public static DeliverOutcome ToCore(this DeliverAnswer answer) => answer.Result switch
    {
        DeliverAnswer.Types.Result.Delivered => DeliverOutcome.Delivered,
        DeliverAnswer.Types.Result.TooSlow => DeliverOutcome.TooSlow,
        _ => DeliverOutcome.NotHere,
    };
}
