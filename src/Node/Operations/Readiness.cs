using ChordChat.Node.Tiles;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace ChordChat.Node.Operations;

/// <summary>Whether this node can keep a message now. One probe at a time and one a second, whoever asks and however
/// often: anybody may ask, and each probe is a write.</summary>
internal sealed class Readiness(ReadinessProbe probe, TimeProvider time) : IHealthCheck
{
    private static readonly TimeSpan ProbeMax = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan AnswerHolds = TimeSpan.FromSeconds(1);

    private readonly Lock _turn = new();
    private Task<string?> _answer = Task.FromResult<string?>(null);
    private long _askedAt;

    /// <summary>Null when a write to a quorum has just succeeded, else why not, in words.</summary>
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

    /// <summary>The same for grpc.health.v1.</summary>
    public async Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context, CancellationToken cancellationToken = default) =>
        await AskAsync().WaitAsync(cancellationToken) is { } why
            ? HealthCheckResult.Unhealthy(why)
            : HealthCheckResult.Healthy();

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
