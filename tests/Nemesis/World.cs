using System.Diagnostics;
using ChordChat.Tests.Checkers;

namespace ChordChat.Tests.Nemesis;

/// <summary>A cluster of real nodes and the people on it; what is wrong with them is gathered here.</summary>
internal sealed class World(Options options, Network network, string home, Record record)
{
    private const int PersonCount = 20;
    private const int PeopleBesideGuests = 10;
    private const int AtOnce = 4;
    private const int WrongMax = 10;
    private static readonly TimeSpan StartMax = TimeSpan.FromSeconds(180);
    private static readonly TimeSpan EndMax = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan SeenMax = TimeSpan.FromSeconds(90);

    private readonly List<string> _wrong = [];
    private string? _lastRing;
    private string? _guestsLack;
    private Views? _seen;

    public Record Record => record;
    public IReadOnlyList<Node> Nodes { get; } =
        [.. Enumerable.Range(0, options.Nodes).Select(i => new Node(options, home, network, i))];

    public IReadOnlyList<Person> People { get; private set; } = [];

    public IReadOnlyList<Guest> Guests { get; } =
        options.Client is null || options.IsForNumbers || !Faults.Has(options.Mix, "client")
        ? []
        :
        [
            .. Enumerable.Range(0, options.Guests)
                .Select(i => new Guest($"g{i}", i % 2, options, network, home, record)),
        ];

    private Views Views => _seen ??= new(this);

    /// <summary>Sits in a network without multicast and is told an address.</summary>
    private Node Told => Nodes[^2];

    /// <summary>Founds a cluster, starts its nodes and lets people register.</summary>
    public async Task StartAsync()
    {
        Directory.CreateDirectory(home);
        await Shell.RunAsync(
            options.Program, "cluster", "init", "--data", home, "--nodes", $"{options.Nodes}",
            "--replicas", $"{options.Copies - 1}", "--policy", options.Policy, "--demo");
        await EquipAsync();
        await network.BlockMulticastAsync(Told.Index);
        Told.Seed = Nodes[0].Address;
        foreach (var node in Nodes)
            node.Start();
        await UntilAsync("all nodes ready at the start", StartMax, AreAllReadyAsync);
        var addresses = Nodes.Select(node => node.Address).ToArray();
        People =
        [
            .. Enumerable.Range(0, options.People ?? (Guests.Count == 0 ? PersonCount : PeopleBesideGuests))
                .Select(i => new Person($"p{i}", home, addresses, Record, options.Seed + i)),
        ];
        await Parallel.ForEachAsync(
            People, new ParallelOptions { MaxDegreeOfParallelism = AtOnce },
            async (person, _) => await person.RegisterAsync());
        await Task.WhenAll(Guests.Select(guest => guest.RegisterAsync()));
        Say($"{People.Count} people and {Guests.Count} guests are there");
    }

    /// <summary>Everybody writes to everybody until told to stop, guests among themselves.</summary>
    public IEnumerable<Task> Live(Pace pace, CancellationToken stopping) =>
    [
        .. People.Select(person => person.LiveAsync(
            [.. People.Select(other => other.Name).Where(other => other != person.Name)], pace, stopping)),
        .. Guests.Select(guest => guest.LiveAsync(
            [.. Guests.Select(other => other.Name).Where(other => other != guest.Name)], stopping)),
    ];

    /// <summary>All that was to be sent is kept, and all that is kept was shown.</summary>
    public async Task<bool> IsFlushedAsync()
    {
        var flushed = await Task.WhenAll(People.Select(person => person.FlushAsync(TimeSpan.FromSeconds(1))));
        foreach (var person in People)
            person.Settle();
        return flushed.All(all => all) && Record.Mail.Missing(1).Count == 0;
    }

    /// <summary>What people see of each other and of mailboxes, to be compared with what is.</summary>
    public async Task LookAroundAsync()
    {
        if (Guests.Count > 0)
            await UntilAsync("guests seen online", SeenMax, () => Views.AreGuestsAsync(online: true));
        await Views.AskAsync();
    }

    /// <summary>All that guests have typed is kept, and what is kept was shown.</summary>
    public async Task<bool> AreGuestsFlushedAsync()
    {
        var flushed = await Task.WhenAll(Guests.Select(guest => guest.IsFlushedAsync()));
        var missing = Record.Screens.Missing();
        _guestsLack = flushed.All(all => all) && missing.Count == 0
            ? null
            : $"guests without all answers: {flushed.Count(all => !all)}; not shown: {string.Join(' ', missing)}";
        return _guestsLack is null;
    }

    public async Task<bool> AreAllReadyAsync() =>
        (await Task.WhenAll(Nodes.Select(node => node.IsReadyAsync()))).All(ready => ready);

    /// <summary>Whether any one node could go: all copies of all tiles are where they belong.</summary>
    public async Task<bool> IsSettledAsync() => await IsIdealAsync()
        && (await Task.WhenAll(Nodes.Select(node => node.IsSafeToStopAsync()))).All(safe => safe);

    /// <summary>Every node names the right neighbours of all nodes, clockwise.</summary>
    public async Task<bool> IsIdealAsync()
    {
        foreach (var node in Nodes)
        {
            var ring = await node.RingAsync();
            if (!IsIdeal(node, ring))
            {
                _lastRing = $"the ring as {node.Name} shows it:\n{ring.TrimEnd()}";
                return false;
            }
        }

        _lastRing = null;
        return true;
    }

    /// <summary>Waits for a condition. Not to come in time is wrong.</summary>
    /// <returns>How long it took.</returns>
    public async Task<TimeSpan> UntilAsync(string what, TimeSpan limit, Func<Task<bool>> condition)
    {
        var waited = Stopwatch.StartNew();
        while (!await condition())
        {
            if (waited.Elapsed > limit)
            {
                Judge($"not {what} within {limit.TotalSeconds:0} s");
                Say(_guestsLack ?? _lastRing ?? "the ring is ideal");
                return waited.Elapsed;
            }

            await Task.Delay(200);
        }

        Say($"{what}: after {waited.Elapsed.TotalSeconds:0.0} s");
        return waited.Elapsed;
    }

    public void Judge(string? fault)
    {
        if (fault is not null && !_wrong.Contains(fault))
            _wrong.Add(fault);
    }

    /// <summary>Ends everybody's session and says what was wrong.</summary>
    /// <returns>Whether nothing was.</returns>
    public async Task<bool> EndAsync()
    {
        await Task.WhenAll(Guests.Select(guest => guest.EndAsync()));
        if (Guests.Count > 0)
            await UntilAsync("guests seen to have gone", SeenMax, () => Views.AreGuestsAsync(online: false));
        await Views.AskAsync(); // Once more: the last answers are perhaps minutes old.
        foreach (var person in People)
            await person.DisposeAsync();
        Say(TileChanges.Of(home).ToString());
        foreach (var fault in Record.Screens.Faults().Take(WrongMax))
            Judge(fault);
        await TurnOffAsync();
        if (!await network.HasBlockedMulticastAsync(Told.Index))
            Judge($"{Told.Name} was to do without multicast, and none was dropped");
        foreach (var complaint in Complaints.Of(home))
        {
            Say($"complaint of {complaint}");
            Judge(complaint.Contains("service method", StringComparison.Ordinal) ? complaint : null);
        }

        foreach (var node in Nodes)
            JudgeEnds(node);
        foreach (var fault in Record.Wrong.Take(WrongMax))
            Judge(fault);
        foreach (var wrong in _wrong)
            Say($"WRONG seed {options.Seed}: {wrong}");
        return _wrong.Count == 0;
    }

    /// <summary>Judges the disks of nodes that do not run by what people were told before.</summary>
    /// <param name="kept">What they were told to be kept, before the first node was killed.</param>
    public PowerOff JudgeDisks(IReadOnlyCollection<(string Mailbox, string Id)> kept)
    {
        var disks = PowerOff.Read(Nodes, home);
        foreach (var fault in Disks.Faults(kept, disks.Disks, disks.KeepersOf).Take(WrongMax))
            Judge(fault);
        Say($"power off: {kept.Count} kept messages looked for on {disks.Disks.Count} disks");
        return disks;
    }

    public void Say(string line)
    {
        var text = $"{Record.Now.TotalSeconds,7:0.0} {line}";
        Console.WriteLine(text);
        File.AppendAllText(Path.Combine(home, "nemesis.log"), text + "\n");
    }

    /// <summary>Ends all nodes at once and looks at their disks.</summary>
    private async Task TurnOffAsync()
    {
        var kept = Record.ToldKept();
        await Task.WhenAll(Nodes.Select(node => node.SignalAsync("KILL")));
        foreach (var node in Nodes)
            await node.GoneAsync(EndMax);
        var disks = JudgeDisks(kept);
        foreach (var fault in Disks.Swallowed(kept, disks.Disks, Record.HasSeen).Take(WrongMax))
            Judge(fault);
        foreach (var fault in Views.Faults(disks).Take(WrongMax))
            Judge(fault);
    }

    /// <summary>Gives the last node a small disk, or all of them clocks of their own, where that can be had.</summary>
    private async Task EquipAsync()
    {
        if (!options.IsForNumbers && Faults.Has(options.Mix, "full"))
        {
            Nodes[^1].Disk = await Disk.PutUnderAsync(Nodes[^1].Folder);
            if (Nodes[^1].Disk is null)
                Say("no file systems may be mounted here: no disk runs full");
        }

        if (!options.IsForNumbers && Faults.Has(options.Mix, "disk"))
        {
            if (await Preload.CompileAsync(home, "slowsync") is { } library)
                foreach (var node in Nodes)
                    (node.SlowDisk = new(library, Path.Combine(home, $"{node.Name}.sync"))).Set(0);
            else
                Say("there is no C compiler: no disk is slow");
        }

        if (!options.IsForNumbers && Faults.Has(options.Mix, "blackout"))
        {
            if (await Preload.CompileAsync(home, "unsynced") is { } library)
                foreach (var node in Nodes)
                    node.Unsynced = new(library, Path.Combine(home, $"{node.Name}.unsynced"));
            else
                Say("there is no C compiler: an outage loses nothing");
        }

        if (options.IsForNumbers || !Faults.Has(options.Mix, "clock"))
            return;
        if (!Clock.CanStep)
            Say("libfaketime is missing: all clocks are right");
        foreach (var node in Clock.CanStep ? Nodes : [])
            (node.Clock = new(Path.Combine(home, $"{node.Name}.time"))).Set(TimeSpan.Zero);
    }

    private bool IsIdeal(Node node, string ring)
    {
        var rows = ring.Split('\n', StringSplitOptions.RemoveEmptyEntries).Skip(2)
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Where(row => row.Length > 5 && row[3] != "dead").ToArray();
        var at = Array.FindIndex(rows, row => row[0] == node.Name);
        return at >= 0 && rows.Length == Nodes.Count
            && rows[at][4] == rows[(at + rows.Length - 1) % rows.Length][0]
            && rows[at][5] == rows[(at + 1) % rows.Length][0];
    }

    /// <summary>A node ends because a signal told it to or because its disk is full; nothing else was done to
    /// it.</summary>
    private void JudgeEnds(Node node)
    {
        const int Signalled = 128, StorageFailed = 9;
        node.CountEnd();
        foreach (var end in node.Ends.Where(end => end is > 0 and < Signalled))
            if (end != StorageFailed || node.Disk is null)
                Judge($"{node.Name} ended with code {end}");
    }
}
