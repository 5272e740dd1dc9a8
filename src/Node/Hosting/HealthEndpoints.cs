using System.Net;
using ChordChat.Node.Admission;

namespace ChordChat.Node.Hosting;

/// <summary>/healthz: the process lives. /readyz: a write to a quorum has just succeeded.</summary>
internal static class HealthEndpoints
{
    private static readonly TimeSpan ProbeMax = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan AnswerHolds = TimeSpan.FromSeconds(1);

    public static void MapHealth(this WebApplication app)
    {
        var readiness = new Readiness(
            app.Services.GetRequiredService<ReadinessProbe>(), app.Services.GetRequiredService<TimeProvider>());
        app.MapGet("/healthz", static context => Say(context, HttpStatusCode.OK, "alive"))
            .OpenTo(Callers.Everybody);
        app.MapGet("/readyz", async context =>
        {
            var why = await readiness.AskAsync();
            await (why is null
                ? Say(context, HttpStatusCode.OK, "ready")
                : Say(context, HttpStatusCode.ServiceUnavailable, $"not ready: {why}"));
        }).OpenTo(Callers.Everybody);
    }

    /// <summary>On the plain port there is nothing but health.</summary>
    public static void UseHealthPort(this WebApplication app, IPEndPoint? health)
    {
        if (health is null)
            return;
        app.Use((context, next) =>
            context.Connection.LocalPort == health.Port && context.Request.Path.Value is not ("/healthz" or "/readyz")
                ? Say(context, HttpStatusCode.NotFound, "only /healthz and /readyz are here; the node speaks TLS on "
                    + "its own port")
                : next(context));
    }

    private static Task Say(HttpContext context, HttpStatusCode code, string text)
    {
        context.Response.StatusCode = (int)code;
        context.Response.ContentType = "text/plain";
        return context.Response.WriteAsync(text + "\n", context.RequestAborted);
    }

    /// <summary>One probe at a time, whoever asks and however often: anybody may ask, and each probe is a
    /// write.</summary>
    private sealed class Readiness(ReadinessProbe probe, TimeProvider time)
    {
        private readonly Lock _turn = new();
        private Task<string?> _answer = Task.FromResult<string?>(null);
        private long _askedAt;

        public Task<string?> AskAsync()
        {
            lock (_turn)
            {
                if (_answer.IsCompleted && (_askedAt == 0 || time.GetElapsedTime(_askedAt) > AnswerHolds))
                {
                    _askedAt = time.GetTimestamp();
                    _answer = Task.Run(ProbeAsync);
                }

                return _answer;
            }
        }

        private async Task<string?> ProbeAsync()
        {
            using var deadline = new CancellationTokenSource(ProbeMax, time);
            try
            {
                return await probe(deadline.Token);
            }
            catch (OperationCanceledException)
            {
                return "no majority of copies answered in 3 s";
            }
        }
    }
}
