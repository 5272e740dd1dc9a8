using ChordChat.Node.Chat;
using ChordChat.Tests.Cluster.Nodes;
using Xunit;

namespace ChordChat.Tests.Cluster.Chat;

/// <summary>docs/protocol.md#places: where somebody is said to be is not believed for good.</summary>
public sealed class LeasePlacesTests : IAsyncLifetime
{
    private readonly ChatCluster _cluster = new(2);
    private readonly LaterTime _time = new();

    public Task InitializeAsync() => _cluster.InitializeAsync();

    public Task DisposeAsync() => _cluster.DisposeAsync();

    [Fact]
    public async Task A_place_is_asked_about_anew_after_a_minute_though_nobody_denies_it()
    {
        var anna = await SessionTests.RegisterAsync(_cluster, "anna");
        var places = new LeasePlaces(_cluster.Get<Whereabouts>(0), new ChatClock(_time));
        await using (await ChatConnection.OpenAsync(_cluster.Client(1), anna))
            await Condition.UntilAsync("she is found", TimeSpan.FromSeconds(30), IsThereAsync);

        await Condition.UntilAsync("she is gone", TimeSpan.FromSeconds(30), async () =>
            await _cluster.Get<Whereabouts>(0).FindAsync("anna", CancellationToken.None) is null);
        Assert.True(await IsThereAsync());
        _time.Ahead = TimeSpan.FromSeconds(61);
        await Condition.UntilAsync("it is known", TimeSpan.FromSeconds(30), async () => !await IsThereAsync());

        async Task<bool> IsThereAsync() => await places.FindAsync("anna", CancellationToken.None) is not null;
    }

    private sealed class LaterTime : TimeProvider
    {
        public TimeSpan Ahead { get; set; }

        public override long GetTimestamp() =>
            base.GetTimestamp() + (long)(Ahead.TotalSeconds * System.TimestampFrequency);
    }
}
