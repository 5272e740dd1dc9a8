using System.Text.Json;
using ChordChat.Visualizer.Feed;

namespace ChordChat.Visualizer.Pages;

/// <summary>A live feed: server-sent events "ring", "eyes" and, so that silence means something, "beat".</summary>
internal static class FeedPage
{
    private static readonly TimeSpan Beat = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Rest = TimeSpan.FromMilliseconds(100);

    public static async Task ServeAsync(
        HttpContext context, RingFeed feed, TimeProvider time, IHostApplicationLifetime life)
    {
        context.Response.ContentType = "text/event-stream";
        context.Response.Headers.CacheControl = "no-store";
        context.Response.Headers["X-Accel-Buffering"] = "no";
        using var ended =
            CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, life.ApplicationStopping);
        try
        {
            await context.Response.WriteAsync("retry: 1000\n\n", ended.Token);
            await SendAsync(context.Response, feed, time, ended.Token);
        }
        catch (Exception cause) when (cause is OperationCanceledException or IOException)
        {
            // The page was closed, or the program is stopping.
        }
    }

    private static async Task SendAsync(
        HttpResponse response, RingFeed feed, TimeProvider time, CancellationToken ended)
    {
        FeedState? sent = null;
        await using var states = feed.WatchAsync(ended).GetAsyncEnumerator(ended);
        var next = states.MoveNextAsync().AsTask();
        try
        {
            while (true)
            {
                if (await Task.WhenAny(next, Task.Delay(Beat, time, ended)) != next)
                {
                    ended.ThrowIfCancellationRequested();
                    await WriteAsync(response, "beat", "{}", ended);
                    continue;
                }

                await next;
                var state = states.Current;
                if (sent?.Eyes != state.Eyes)
                    await WriteAsync(response, "eyes", Json(state.Eyes), ended);
                if (state.Ring is { } ring && !ReferenceEquals(sent?.Ring, ring))
                    await WriteAsync(response, "ring", ring, ended);
                sent = state;
                await Task.Delay(Rest, time, ended); // What changes meanwhile is skipped but for its newest.
                next = states.MoveNextAsync().AsTask();
            }
        }
        finally
        {
            // A page that was closed in a quiet moment: the states are not to be disposed of while they are waited for.
            if (ended.IsCancellationRequested)
                await ((Task)next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static string Json(Eyes eyes) => JsonSerializer.Serialize(eyes, JsonSerializerOptions.Web);

    private static async Task WriteAsync(HttpResponse response, string name, string json, CancellationToken ended)
    {
        await response.WriteAsync($"event: {name}\ndata: {json}\n\n", ended);
        await response.Body.FlushAsync(ended);
    }
}
