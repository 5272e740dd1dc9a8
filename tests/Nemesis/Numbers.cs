using System.Globalization;

namespace ChordChat.Tests.Nemesis;

/// <summary>One fault after the other under a steady load, each from a settled cluster, and what people notice of
/// it.</summary>
internal sealed class Numbers(Options options, Network network, World world, string home)
{
    private const int MinorityCount = 2;
    private static readonly TimeSpan SettleMax = TimeSpan.FromSeconds(300);
    private static readonly TimeSpan RecoverMax = TimeSpan.FromSeconds(120);

    private readonly List<(string What, string Goal, string Measured)> _table = [];

    private TimeSpan Now => world.Record.Now;

    public async Task<bool> PlayAsync()
    {
        await world.StartAsync();
        using var over = new CancellationTokenSource();
        Task[] lives = [.. world.Live(Pace.Steady, over.Token)];
        foreach (var part in options.Parts)
        {
            await world.UntilAsync("settled", SettleMax, world.IsSettledAsync);
            await (part switch
            {
                "calm" => CalmAsync(),
                "kill" => KillAsync(),
                "cut" => CutAsync(),
                "freeze" => FreezeAsync(),
                "leave" => LeaveAsync(),
                _ => PowerAsync(),
            });
        }

        await over.CancelAsync();
        await Task.WhenAll(lives);
        await world.UntilAsync("all queues flushed", RecoverMax, world.IsFlushedAsync);
        world.Judge(world.Record.Mail.Fault(atEnd: true));
        var (sent, kept, shown) = world.Record.Mail.Counts;
        Row("all of it: messages sent, kept, shown", "equal", $"{sent}, {kept}, {shown}");
        Row("kept messages lost", "0", $"{world.Record.Mail.Missing(sent).Count}");
        Console.WriteLine("| What | Goal | Measured |\n|---|---|---|");
        foreach (var (what, goal, measured) in _table)
            Console.WriteLine($"| {what} | {goal} | {measured} |");
        return await world.EndAsync();
    }

    private async Task CalmAsync()
    {
        var begin = Now;
        await PassAsync(15);
        Row("calm: a message is kept", "", await LatencyAsync(begin, begin + Seconds(10), _ => true));
    }

    private async Task KillAsync()
    {
        var (victim, begin) = (world.Nodes[1], Now);
        var hit = world.People.Where(person => person.Node == victim.Name).Select(person => person.Name).ToHashSet();
        await victim.SignalAsync("KILL");
        await PassAsync(12);
        Row("kill -9 of one of five: messages of the next 10 s are kept", "p99 < 500 ms",
            await LatencyAsync(begin, begin + Seconds(10), _ => true));
        Row("of them, from people on other nodes", "",
            await LatencyAsync(begin, begin + Seconds(10), sending => !hit.Contains(sending.From)));
        var losses = world.Record.Losses.Where(loss => loss.At >= begin && loss.At < begin + Seconds(12))
            .CountBy(loss => loss.Person).ToArray();
        Row("people whose node it was; who had to try more than once more", "0 of them",
            $"{hit.Count}; {losses.Count(loss => loss.Value > 1)}");
        await victim.GoneAsync(RecoverMax);
        victim.Start();
    }

    private async Task CutAsync()
    {
        var minority = world.Nodes.Take(MinorityCount).ToArray();
        var majority = world.Nodes.Skip(MinorityCount).ToArray();
        var there = minority.Select(node => node.Name).ToHashSet();
        foreach (var node in world.Nodes)
            await network.DeafenAsync(
                node.Index, [.. (minority.Contains(node) ? majority : minority).Select(other => other.Index)]);
        var begin = Now;
        var stranded = world.People.Where(IsStranded).ToArray();
        await PassAsync(20);
        stranded = [.. stranded.Where(IsStranded)];
        foreach (var node in world.Nodes)
            await network.DeafenAsync(node.Index, []);
        var healed = Now;
        var ideal = await world.UntilAsync("ring ideal after the cut", RecoverMax, world.IsIdealAsync);
        await world.UntilAsync("queues flushed after the cut", RecoverMax, () => Task.FromResult(IsAllKept(healed)));
        Row("cut 3/2: majority's messages of the first 5 s are kept", "p99 < 2 s",
            await LatencyAsync(
                begin, begin + Seconds(5), sending => sending.Node is { } node && !there.Contains(node)));
        var names = stranded.Select(person => person.Name).ToHashSet();
        var mine = world.Record.Sendings
            .Where(one => names.Contains(one.From) && one.Sent >= begin && one.Sent < healed - Seconds(1)).ToArray();
        var told = mine.Where(sending => sending.Kept < healed).ToArray();
        Row("the minority's messages while cut; kept; arrived among the minority", "0 kept",
            $"{mine.Length}; {told.Count(sending => !sending.HasArrived)}; "
            + $"{told.Count(sending => sending.HasArrived)}");
        Row("healed: ring ideal after", "< 30 s", Text(ideal));
        Row("healed: all that was queued is kept after", "< 60 s",
            Text(world.Record.Sendings.Where(one => one.Sent < healed).Max(one => one.Kept ?? Now) - healed));

        bool IsStranded(Person person) => person.Node is { } node && there.Contains(node);
    }

    private async Task FreezeAsync()
    {
        var (moved, victim, begin) = (MovedCount(), world.Nodes[2], Now);
        await victim.SignalAsync("STOP");
        await PassAsync(30);
        await victim.SignalAsync("CONT");
        await PassAsync(5);
        Row("SIGSTOP of one for 30 s: tiles moved", "0", $"{MovedCount() - moved}");
        Row("messages meanwhile are kept", "", await LatencyAsync(begin, begin + Seconds(30), _ => true));
    }

    private async Task LeaveAsync()
    {
        var (moved, victim, begin) = (MovedCount(), world.Nodes[3], Now);
        var hit = world.People.Where(person => person.Node == victim.Name).Select(person => person.Name).ToHashSet();
        await victim.SignalAsync("TERM");
        await victim.GoneAsync(RecoverMax);
        var end = Now;
        await PassAsync(2);
        Row($"SIGTERM of one, which hands its tiles over: {MovedCount() - moved} changes in {Text(end - begin)}; "
            + "messages are kept", "p99 < 100 ms more than calm, max < 1 s", await LatencyAsync(begin, end, _ => true));
        Row("people whose node it was; who lost a session without having another at once", "0",
            $"{hit.Count}; {world.Record.Losses.Where(loss => loss.At >= begin && loss.At < end + Seconds(2))
                .CountBy(loss => loss.Person).Count(loss => loss.Value > 1)}");
        victim.Start();
    }

    private async Task PowerAsync()
    {
        await Task.WhenAll(world.Nodes.Select(node => node.SignalAsync("KILL")));
        foreach (var node in world.Nodes)
            await node.GoneAsync(RecoverMax);
        var begin = Now;
        foreach (var node in world.Nodes)
            node.Start();
        var ready = await world.UntilAsync("all ready after the power cut", RecoverMax, world.AreAllReadyAsync);
        await world.UntilAsync("all kept after the power cut", RecoverMax, () => Task.FromResult(IsAllKept(begin)));
        var first = world.Record.Sendings.Where(sending => sending.Kept >= begin).Min(sending => sending.Kept!.Value);
        Row("kill -9 of all at once, all started again: first message kept after", "< 30 s", Text(first - begin));
        Row("every node ready after", "< 30 s", Text(ready));
    }

    private bool IsAllKept(TimeSpan before) =>
        world.Record.Sendings.All(sending => sending.Sent >= before || sending.Kept is not null);

    /// <summary>Changes of tiles' members, as all nodes logged them; each is told once by every member.</summary>
    private int MovedCount() => TileChanges.Of(home).Changes;

    private static Task PassAsync(int seconds) => Task.Delay(Seconds(seconds));

    /// <summary>Half, 99 % and the last of the messages that were sent in a time, once all of them are kept.</summary>
    private async Task<string> LatencyAsync(TimeSpan from, TimeSpan to, Func<Sending, bool> counts)
    {
        IEnumerable<Sending> Sent() =>
            world.Record.Sendings.Where(one => one.Sent >= from && one.Sent < to && counts(one));
        await world.UntilAsync(
            "kept all of that time", RecoverMax, () => Task.FromResult(Sent().All(one => one.Kept is not null)));
        var times = Sent().Select(one => ((one.Kept ?? Now) - one.Sent).TotalMilliseconds).Order().ToArray();
        return times.Length == 0
            ? "none was sent"
            : string.Create(
                CultureInfo.InvariantCulture,
                $"{times.Length}: half in {times[times.Length / 2]:0} ms, "
                + $"99 % in {times[times.Length * 99 / 100]:0} ms, all in {times[^1]:0} ms");
    }

    private void Row(string what, string goal, string measured)
    {
        world.Say($"{what}: {measured}");
        _table.Add((what, goal, measured));
    }

    private static TimeSpan Seconds(double count) => TimeSpan.FromSeconds(count);

    private static string Text(TimeSpan time) =>
        string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.0} s");
}
