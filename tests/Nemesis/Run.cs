using System.Diagnostics;
using ChordChat.Tests.Checkers;

namespace ChordChat.Tests.Nemesis;

/// <summary>Two acts: faults while people chat, then calm in which everything must recover.</summary>
internal sealed class Run(Options options, Network network, string home)
{
    private const int PersonCount = 20;
    private static readonly TimeSpan RingLimit = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan FlushLimit = TimeSpan.FromSeconds(60);

    private readonly Record _record = new();
    private readonly List<string> _wrong = [];
    private int _otherOrder;

    public async Task<bool> PlayAsync()
    {
        Directory.CreateDirectory(home);
        await Shell.RunAsync(
            options.Program, "cluster", "init", "--data", home, "--nodes", $"{options.Nodes}", "--demo");
        var nodes = Enumerable.Range(0, options.Nodes).Select(i => new Node(options.Program, home, network, i)).ToArray();
        foreach (var node in nodes)
            node.Start();
        await UntilAsync("all nodes ready at the start", FlushLimit, () => AllReadyAsync(nodes));
        var addresses = nodes.Select(node => node.Address).ToArray();
        var people = Enumerable.Range(0, PersonCount)
            .Select(i => new Person($"p{i}", home, addresses, _record, options.Seed + i)).ToArray();
        await Parallel.ForEachAsync(
            people, new ParallelOptions { MaxDegreeOfParallelism = 4 }, async (person, _) => await person.RegisterAsync());
        Say($"{people.Length} people are there");
        var race = new NameRace(home, addresses, _record, new Random(options.Seed));
        var canDelay = await network.CanDelayAsync();
        if (!canDelay)
            Say("this kernel has no netem: a slow network is a narrow one that loses packets, without delay or disorder");
        var faults = new Faults(nodes, network, new Random(options.Seed), options.Mix, canDelay, Say);
        await FirstActAsync(people, race, faults);
        await SecondActAsync(nodes, people, race, faults);
        Say($"faults: {string.Join(", ", faults.Counts.Select(one => $"{one.Key} {one.Value}"))}");
        Say($"calls: {string.Join(", ", _record.Counts)}; messages {_record.Mail.Counts}");
        foreach (var person in people)
            await person.DisposeAsync();
        foreach (var complaint in Complaints.Of(home))
        {
            Say($"complaint of {complaint}");
            Judge(complaint.Contains("service method", StringComparison.Ordinal) ? complaint : null);
        }

        foreach (var wrong in _wrong)
            Say($"WRONG seed {options.Seed}: {wrong}");
        return _wrong.Count == 0;
    }

    private async Task FirstActAsync(Person[] people, NameRace race, Faults faults)
    {
        using var over = new CancellationTokenSource(TimeSpan.FromMinutes(options.Minutes));
        Task[] all =
        [
            .. people.Select(person => person.LiveAsync(
                [.. people.Select(other => other.Name).Where(other => other != person.Name)], over.Token)),
            race.RunAsync(over.Token), faults.RunAsync(over.Token),
        ];
        while (!over.IsCancellationRequested)
        {
            await Task.WhenAny(Task.WhenAll(all), Task.Delay(TimeSpan.FromSeconds(10)));
            Say($"messages (sent, kept, shown) {_record.Mail.Counts}");
            Judge(_record.Mail.Fault(atEnd: false));
        }

        await Task.WhenAll(all);
    }

    private async Task SecondActAsync(Node[] nodes, Person[] people, NameRace race, Faults faults)
    {
        Say("all faults off");
        await faults.HealAsync();
        var healed = Stopwatch.StartNew();
        await UntilAsync("every node ready after healing", RingLimit, () => AllReadyAsync(nodes));
        await UntilAsync("ring ideal after healing", RingLimit - healed.Elapsed, () => IsIdealAsync(nodes));
        await UntilAsync("queues flushed after healing", FlushLimit - healed.Elapsed, async () =>
        {
            var flushed = await Task.WhenAll(people.Select(person => person.FlushAsync(TimeSpan.FromSeconds(1))));
            foreach (var person in people)
                person.Settle();
            return flushed.All(all => all) && _record.Mail.Missing(1).Count == 0;
        });
        await race.AskAllAsync();
        Judge(_record.Mail.Fault(atEnd: true));
        Judge(Names.Fault(_record.Names.Operations));
        foreach (var end in _record.Counts.Where(count => count.StartsWith("ended ", StringComparison.Ordinal)))
            Judge(end.StartsWith("ended logged_out", StringComparison.Ordinal) ? null : $"a session {end}");
        foreach (var (i, one) in people.Index())
            foreach (var other in people.Skip(i + 1))
                Compare(one, other);
        Say($"conversations that both sides show in other mixes of the two senders: {_otherOrder} (allowed)");
    }

    /// <summary>Both must have the same messages, and those of each sender in one order. How the two senders'
    /// messages are mixed is each side's own; it is only counted.</summary>
    private void Compare(Person one, Person other)
    {
        var (left, right) = (one.TranscriptWith(other.Name), other.TranscriptWith(one.Name));
        _otherOrder += left.Select(message => message.Id).SequenceEqual(right.Select(message => message.Id)) ? 0 : 1;
        foreach (var sender in new[] { one, other })
        {
            var shown = new Dictionary<string, IReadOnlyList<string>>
            {
                [one.Name] = [.. left.Where(message => message.From == sender.Name).Select(message => message.Id)],
                [other.Name] = [.. right.Where(message => message.From == sender.Name).Select(message => message.Id)],
            };
            Judge(Transcripts.Fault($"{one.Name} with {other.Name}, written by {sender.Name}", shown));
        }
    }

    private static async Task<bool> AllReadyAsync(Node[] nodes)
    {
        foreach (var node in nodes)
            if (!await node.IsReadyAsync())
                return false;
        return true;
    }

    /// <summary>Every node names the right neighbours of all nodes, clockwise.</summary>
    private static async Task<bool> IsIdealAsync(Node[] nodes)
    {
        foreach (var node in nodes)
        {
            var rows = (await node.RingAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries).Skip(2)
                .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)).ToArray();
            if (rows.Length != nodes.Length)
                return false;
            var at = Array.FindIndex(rows, row => row[0] == node.Name);
            if (at < 0 || rows[at][4] != rows[(at + rows.Length - 1) % rows.Length][0]
                || rows[at][5] != rows[(at + 1) % rows.Length][0])
                return false;
        }

        return true;
    }

    private async Task UntilAsync(string what, TimeSpan limit, Func<Task<bool>> condition)
    {
        var waited = Stopwatch.StartNew();
        while (!await condition())
        {
            if (waited.Elapsed > limit)
            {
                Judge($"not {what} within {limit.TotalSeconds:0} s");
                return;
            }

            await Task.Delay(200);
        }

        Say($"{what}: after {waited.Elapsed.TotalSeconds:0.0} s");
    }

    private void Judge(string? fault)
    {
        if (fault is not null && !_wrong.Contains(fault))
            _wrong.Add(fault);
    }

    private void Say(string line)
    {
        var text = $"{_record.Now.TotalSeconds,7:0.0} {line}";
        Console.WriteLine(text);
        File.AppendAllText(Path.Combine(home, "nemesis.log"), text + "\n");
    }
}
