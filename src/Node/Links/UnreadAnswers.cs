using ChordChat.Node.Base;
using ChordChat.Node.Identity;
using Grpc.Core;

namespace ChordChat.Node.Links;

/// <summary>Answers to calls that everybody may make, and why a session is refused: a caller that does not take its
/// answer in time loses it, and only so many bytes of them wait.</summary>
/// <remarks>docs/security.md, "What a call may cost". HTTP/2 lets a client ask without giving a window for the answer,
/// which then stays in the response's pipe; Kestrel ends that only after minutes. Safe for threads.</remarks>
internal sealed class UnreadAnswers(TimeProvider time)
{
    /// <summary>What one place has room for; a longer answer takes several.</summary>
    public const int PlaceBytes = 64 << 10;

    /// <summary>Of one address block (a /24, or a /48 of IPv6).</summary>
    public const int PlacesPerBlockMax = 256;

    private const int PlacesMax = 1_024;

    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly FairPlaces _places = new(PlacesPerBlockMax, PlacesMax, TimeSpan.FromSeconds(2), time);

    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        if (context.GetEndpoint() is { } endpoint && Gate.OpenedTo(endpoint).HasFlag(Callers.Everybody)
            && context.GrpcMethod() is null)
        {
            await TakenAsync(context, next(context), DenyList.BytesMax); // Its answers are written at once.
            return;
        }

        await next(context);
        if (WholeBodies.StrangersMethod(context)?.Type == MethodType.Unary
            && context.Response.BodyWriter is { CanGetUnflushedBytes: true, UnflushedBytes: > 0 and var bytes } writer)
            await TakenAsync(context, writer.FlushAsync(CancellationToken.None).AsTask(), bytes);
    }

    /// <summary>Waits until the caller has taken what is being written to it.</summary>
    /// <param name="taking">Ends when it has.</param>
    public async Task TakenAsync(HttpContext context, Task taking, long bytes)
    {
        if (!taking.IsCompleted && !await IsTakenAsync(context, taking, bytes))
            context.Abort(); // It would not read why, either.
        await taking;
    }

    private async Task<bool> IsTakenAsync(HttpContext context, Task taking, long bytes)
    {
        var places = new List<FairPlaces.Place>();
        try
        {
            for (var room = 0L; room < bytes; room += PlaceBytes)
                if (_places.TryEnter(context.Connection.RemoteIpAddress) is { } place)
                    places.Add(place);
                else
                    return false;
            using var patience = new CancellationTokenSource(Patience, time);
            using var ended = CancellationTokenSource.CreateLinkedTokenSource(
                [patience.Token, .. places.Select(place => place.Lost)]);
            await taking.WaitAsync(ended.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return taking.IsCompleted;
        }
        finally
        {
            places.ForEach(place => place.Dispose());
        }
    }
}
