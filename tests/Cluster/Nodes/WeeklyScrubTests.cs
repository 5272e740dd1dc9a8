using System.Threading.Channels;
using ChordChat.Core.Tiles;
using ChordChat.Node.Identity;
using ChordChat.Node.Storage;
using ChordChat.Node.Tiles;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace ChordChat.Tests.Cluster.Nodes;

/// <summary>docs/protocol.md#scrub, by the calendar: how soon a flipped bit is found that nobody reads.</summary>
public sealed class WeeklyScrubTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly RegisterKey Account = FreeRows.Register("bob");

    /// <summary>Other than a week only where an operator has set it, and no timer runs for 60 days.</summary>
    [Theory]
    [InlineData(null, 7)]
    [InlineData(60, 60)]
    public async Task All_rows_are_read_again_once_a_week_and_a_restart_in_between_delays_nothing(int? set, int days)
    {
        var options = set is { } every ? new ScrubOptions { Every = TimeSpan.FromDays(every) } : new();
        var calendar = new Calendar();
        await using var cluster = await NodeCluster.StartAsync(
            1, others: (_, services) => ScrubBy(calendar, options with { Pause = TimeSpan.Zero }, services));
        Assert.IsType<ChangeOutcome.Stored>(
            await cluster.Registers("n1").ChangeAsync(Account, _ => new byte[] { 7 }, CancellationToken.None));
        await calendar.WaitsAsync(); // A new node has read its rows at once.
        var (begun, due) = (calendar.Now, calendar.Now + TimeSpan.FromDays(days));
        await FlipAsync(cluster);

        await calendar.MoveToAsync(begun + TimeSpan.FromDays(3));
        await cluster.StopAsync("n1");
        await cluster.StartAsync("n1");
        await calendar.WaitsAsync();
        await calendar.MoveToAsync(due - TimeSpan.FromMinutes(1));
        Assert.Equal((due, TilePhase.Active), (calendar.Next, Phase(cluster)));

        await calendar.MoveToAsync(due);
        await DistrustedAsync(cluster);
        Assert.True(calendar.Next > due, "it waits for the next time");
    }

    [Fact]
    public async Task A_clock_that_was_years_ahead_at_the_last_time_delays_the_next_by_nothing()
    {
        var calendar = new Calendar();
        await using var cluster = await NodeCluster.StartAsync(
            1, others: (_, services) => ScrubBy(calendar, new() { Pause = TimeSpan.Zero }, services));
        Assert.IsType<ChangeOutcome.Stored>(
            await cluster.Registers("n1").ChangeAsync(Account, _ => new byte[] { 7 }, CancellationToken.None));
        await calendar.WaitsAsync();
        await FlipAsync(cluster);
        await cluster.StopAsync("n1");

        calendar.Now -= TimeSpan.FromDays(3 * 365);
        await cluster.StartAsync("n1");
        await calendar.WaitsAsync();

        await DistrustedAsync(cluster);
    }

    /// <summary>Until then its replica takes no requests, and what was found would be forgotten.</summary>
    [Fact]
    public async Task Nothing_is_read_before_the_node_may_serve()
    {
        var (calendar, starts) = (new Calendar(), 0);
        DiskGuard? later = null;
        await using var cluster = await NodeCluster.StartAsync(1, others: (_, services) => services.AddSingleton(
            made => ActivatorUtilities.CreateInstance<Scrubber>(
                made, calendar, new ScrubOptions { Pause = TimeSpan.Zero },
                starts++ == 0 ? made.GetRequiredService<DiskGuard>()
                    : later = ActivatorUtilities.CreateInstance<DiskGuard>(made))));
        Assert.IsType<ChangeOutcome.Stored>(
            await cluster.Registers("n1").ChangeAsync(Account, _ => new byte[] { 7 }, CancellationToken.None));
        await calendar.WaitsAsync();
        await FlipAsync(cluster);
        await cluster.StopAsync("n1");
        calendar.Now += TimeSpan.FromDays(8);
        await cluster.StartAsync("n1");
        Assert.Equal(TilePhase.Active, Phase(cluster));
        later!.Open();
        await DistrustedAsync(cluster);
    }

    /// <summary>Only the scrubber goes by that calendar.</summary>
    private static void ScrubBy(Calendar calendar, ScrubOptions options, IServiceCollection services) =>
        services.AddSingleton(made => ActivatorUtilities.CreateInstance<Scrubber>(made, calendar, options));

    private static Task<int> FlipAsync(NodeCluster cluster)
    {
        var services = cluster["n1"].Services;
        return services.GetRequiredService<ReplicaWriter>().AskAsync(_ =>
        {
            using var change = services.GetRequiredService<NodeDatabase>().Connection.CreateCommand();
            change.CommandText = "UPDATE registers SET value = x'06' WHERE key = $key";
            change.Parameters.AddWithValue("$key", Account.Name);
            return change.ExecuteNonQuery();
        });
    }

    private static Task DistrustedAsync(NodeCluster cluster) => Condition.UntilAsync(
        "the flipped bit is found", Patience, () => Task.FromResult(Phase(cluster) is TilePhase.Damaged));

    private static TilePhase Phase(NodeCluster cluster)
    {
        var services = cluster["n1"].Services;
        var tile = services.GetRequiredService<TileDirectory>().At(Account.Point).Tile;
        return services.GetRequiredService<TileBoard>().Of(tile)!.Phase;
    }

    /// <summary>A calendar that stands still unless a test moves it; for one who waits.</summary>
    private sealed class Calendar : TimeProvider
    {
        private readonly Channel<Alarm> _set = Channel.CreateUnbounded<Alarm>();
        private Alarm? _alarm;

        public DateTimeOffset Now { get; set; } = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

        /// <summary>Until when the one who waits does so.</summary>
        public DateTimeOffset Next => _alarm!.At;

        public override DateTimeOffset GetUtcNow() => Now;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var alarm = new Alarm(Now + dueTime, () => callback(state));
            _set.Writer.TryWrite(alarm);
            return alarm;
        }

        /// <summary>Returns when somebody has begun to wait.</summary>
        public async Task WaitsAsync()
        {
            using var limit = new CancellationTokenSource(Patience);
            _alarm = await _set.Reader.ReadAsync(limit.Token);
        }

        /// <summary>Moves on, and wakes whoever waits as often as it is time.</summary>
        public async Task MoveToAsync(DateTimeOffset then)
        {
            while (Next <= then)
            {
                Now = Next;
                _alarm!.Ring();
                await WaitsAsync();
            }

            Now = then;
        }

        private sealed class Alarm(DateTimeOffset at, Action ring) : ITimer
        {
            public DateTimeOffset At => at;

            public void Ring() => ring();

            public bool Change(TimeSpan dueTime, TimeSpan period) => false;

            public void Dispose() { }

            public ValueTask DisposeAsync() => ValueTask.CompletedTask;
        }
    }
}
