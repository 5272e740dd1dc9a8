using ChordChat.Core.Ring;
using ChordChat.Node.Base;
using ChordChat.Wire;

namespace ChordChat.Node.Links;

/// <summary>The ring's audit: Core on one side, Wire on the other.</summary>
internal static class AuditMap
{
    public static AuditRequest ToWire(this AuditNews news) => news switch
    {
        AuditNews.Passed(var token) => ToWire(token, AuditRequest.Types.Kind.Token),
        AuditNews.Ended(var token) => ToWire(token, AuditRequest.Types.Kind.Ended),
        AuditNews.Failed(var origin, var number) => new()
        {
            Kind = AuditRequest.Types.Kind.Failed,
            Origin = origin.ToWire(),
            Number = number,
        },
        _ => throw new InvalidOperationException($"no words for {news}"),
    };

    public static AuditNews ToCore(this AuditRequest request) => request.Kind switch
    {
        AuditRequest.Types.Kind.Token => new AuditNews.Passed(Token(request)),
        AuditRequest.Types.Kind.Ended => new AuditNews.Ended(Token(request)),
        AuditRequest.Types.Kind.Failed => new AuditNews.Failed(request.Origin.ToCore(), request.Number),
        _ => throw new MalformedException("kind of audit"),
    };

    private static AuditRequest ToWire(AuditToken token, AuditRequest.Types.Kind kind) => new()
    {
        Kind = kind,
        Origin = token.Origin.ToWire(),
        Number = token.Number,
        Count = (uint)token.Count,
        Wraps = (uint)token.Wraps,
        Previous = token.Previous.ToWire(),
        Ids = new RingId(token.Ids).ToWire(),
    };

    private static AuditToken Token(AuditRequest request) =>
        request is { Count: > 0 and <= int.MaxValue / 2, Wraps: <= RingAudit.WrapsMax }
            ? new(
                request.Origin.ToCore(), request.Number, (int)request.Count, (int)request.Wraps,
                request.Previous.ToRingId(), request.Ids.ToRingId().Value)
            : throw new MalformedException("token");
}
