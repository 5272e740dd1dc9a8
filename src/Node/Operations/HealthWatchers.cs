using ChordChat.Node.Base;
using ChordChat.Node.Identity;
using ChordChat.Node.Links;
using Grpc.Core;

namespace ChordChat.Node.Operations;

/// <summary>Who watches this node's health by grpc.health.v1, for as long as they like: so many of an address block,
/// and in all.</summary>
/// <remarks>docs/security.md, "Places of strangers". Members, operators and pages with a certificate are not counted.
/// </remarks>
internal sealed class HealthWatchers(TimeProvider time)
{
    public const int PerBlockMax = 16;
    private const int WatchersMax = 64;
    private const string Service = "grpc.health.v1.Health";

    private readonly FairPlaces _places = new(PerBlockMax, WatchersMax, TimeSpan.MaxValue, time);

    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        if (!IsStrangersWatch(context))
        {
            await next(context);
            return;
        }

        using var place = _places.TryEnter(context.Connection.RemoteIpAddress);
        if (place is null)
        {
            await context.EndAsync(new(new Status(
                StatusCode.ResourceExhausted, "too many clients watch this node's health already")));
            return;
        }

        await using var lost = place.Lost.UnsafeRegister(static call => ((HttpContext)call!).Abort(), context);
        await next(context);
    }

    private static bool IsStrangersWatch(HttpContext context) =>
        context.GrpcMethod() is { ServiceName: Service, Type: MethodType.ServerStreaming }
        && CallerIdentity.Of(context) is { Node: null, MaySeeNames: false };
}
