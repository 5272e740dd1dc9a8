using System.Diagnostics;
using ChordChat.Tests.Checkers;

namespace ChordChat.Tests.Nemesis;

/// <summary>Two acts: faults while people chat, then calm in which everything must recover.</summary>
/// <remarks>The limits let a busy machine be slow; what a quiet one reaches, <see cref="Numbers"/> measures.</remarks>
internal sealed class Run(Options options, Network network, World world, NameRace race)
{
    private static readonly TimeSpan RingLimit = TimeSpan.FromSeconds(120);
    private static readonly TimeSpan FlushLimit = TimeSpan.FromSeconds(180);
    private static readonly TimeSpan GuestLimit = TimeSpan.FromSeconds(180);

    public async Task<bool> PlayAsync()
    {
        await world.StartAsync();
        var canDelay = await network.CanDelayAsync();
        if (!canDelay)
            world.Say("this kernel has no netem: a slow network is a narrow, lossy one, without delay or disorder");
        var faults = new Faults(world, network, race, new Random(options.Seed), options.Mix, canDelay);
        await FirstActAsync(faults);
        await SecondActAsync(faults);
        world.Say($"faults: {string.Join(", ", faults.Counts.Select(one => $"{one.Key} {one.Value}"))}");
        world.Say($"calls: {string.Join(", ", world.Record.Counts)}; messages {world.Record.Told}");
        return await world.EndAsync();
    }

    private async Task FirstActAsync(Faults faults)
    {
        using var over = new CancellationTokenSource(TimeSpan.FromMinutes(options.Minutes));
        Task[] all =
            [.. world.Live(Pace.Wandering, over.Token), race.RunAsync(over.Token), faults.RunAsync(over.Token)];
        while (!over.IsCancellationRequested)
        {
            await Task.WhenAny(Task.WhenAll(all), Task.Delay(TimeSpan.FromSeconds(10)));
            world.Say($"messages (sent, kept, shown) {world.Record.Told}");
            world.Judge(world.Record.Mail.Fault(atEnd: false));
        }

        await Task.WhenAll(all);
    }

    private async Task SecondActAsync(Faults faults)
    {
        world.Say("all faults off");
        await faults.HealAsync();
        var healed = Stopwatch.StartNew();
        await world.UntilAsync("every node ready after healing", RingLimit, world.AreAllReadyAsync);
        await world.UntilAsync("ring ideal after healing", RingLimit - healed.Elapsed, world.IsIdealAsync);
        await world.UntilAsync("queues flushed after healing", FlushLimit - healed.Elapsed, world.IsFlushedAsync);
        foreach (var guest in world.Guests)
            guest.LookBack();
        if (world.Guests.Count > 0)
            await world.UntilAsync("guests' messages shown", GuestLimit, world.AreGuestsFlushedAsync);
        await world.LookAroundAsync();
        await race.AskAllAsync();
        world.Judge(world.Record.Mail.Fault(atEnd: true));
        world.Judge(Names.Fault(world.Record.Names.Operations));
        foreach (var person in world.People)
            foreach (var doubted in person.Doubted)
                world.Judge($"{person.Name} took a message for forged: {doubted}");

        foreach (var end in world.Record.Counts.Where(count => count.StartsWith("ended ", StringComparison.Ordinal)))
            world.Judge(end.StartsWith("ended logged_out", StringComparison.Ordinal) ? null : $"a session {end}");
        foreach (var (i, one) in world.People.Index())
            foreach (var other in world.People.Skip(i + 1))
                Compare(one, other);
    }

    /// <summary>Both must have the same messages in the same order.</summary>
    private void Compare(Person one, Person other) => world.Judge(Transcripts.Fault(
        $"{one.Name} with {other.Name}", new Dictionary<string, IReadOnlyList<string>>
        {
            [one.Name] = [.. one.TranscriptWith(other.Name).Select(message => message.Id)],
            [other.Name] = [.. other.TranscriptWith(one.Name).Select(message => message.Id)],
        }));
}
