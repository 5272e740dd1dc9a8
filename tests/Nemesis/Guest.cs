namespace ChordChat.Tests.Nemesis;

/// <summary>Somebody with the shipped client: it is killed at any moment and started again, and they move to new
/// devices.</summary>
/// <param name="side">Which of the two networks of guests.</param>
internal sealed class Guest(string name, int side, Options options, Network network, string home, Record record)
{
    private const int BurstLines = 25;
    private const int AttemptsMax = 200;

    private readonly Random _random = new(options.Seed + name[^1]);
    private readonly List<Device> _devices = [];

    public string Name => name;

    private Device Current => _devices[^1];

    public async Task RegisterAsync()
    {
        await UntilWellAsync(NewDevice(), "register", CancellationToken.None);
        await Current.KeepRunningAsync();
    }

    /// <summary>Until told to stop: writes, and has what bad luck the mix allows.</summary>
    public async Task LiveAsync(IReadOnlyList<string> others, CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            await Current.KeepRunningAsync();
            var to = others[_random.Next(others.Count)];
            for (var lines = _random.Next(12) == 0 ? BurstLines : 1; lines > 0; lines--)
                await Current.SendAsync(to);
            await Task.Delay(_random.Next(200, 1_500), CancellationToken.None);
            if (Faults.Has(options.Mix, "client") && _random.Next(12) == 0)
                await LoseClientAsync(stopping);
            if (Faults.Has(options.Mix, "device") && _random.Next(25) == 0)
                await MoveAsync(stopping);
        }

        await Current.KeepRunningAsync();
    }

    /// <summary>Whether the program that sends has answered all that it was given.</summary>
    public async Task<bool> IsFlushedAsync()
    {
        await Current.KeepRunningAsync();
        return Current.IsAnswered;
    }

    /// <summary>Looks into the profiles that are not used any more: what came there and was not shown stays there.
    /// </summary>
    public void LookBack()
    {
        foreach (var device in _devices[..^1])
            device.ReadHistory();
    }

    /// <summary>Ends all programs, and looks into all profiles.</summary>
    public async Task EndAsync()
    {
        await Current.StopAsync();
        foreach (var device in _devices)
            device.ReadHistory();
    }

    /// <summary>A program dies at once, or when it shows the next line, and is started again after a while.</summary>
    private async Task LoseClientAsync(CancellationToken stopping)
    {
        var (tail, sender) = _random.Next(4) switch { 0 => (true, true), 1 => (false, true), _ => (true, false) };
        if (tail && _random.Next(2) == 0)
            await Current.NextLineAsync(TimeSpan.FromSeconds(3));
        await Current.KillAsync(tail, sender);
        record.Count($"guest lost {(tail ? sender ? "both" : "tail" : "sender")}");
        if (_random.Next(3) == 0)
            await WaitAsync(_random.Next(1, 12), stopping);
    }

    /// <summary>Logs in on a new device, sometimes after a while without any, sometimes beside the old one.</summary>
    private async Task MoveAsync(CancellationToken stopping)
    {
        var old = Current;
        old.IsReplaced = true;
        var stays = options.Policy != "reject" && _random.Next(2) == 0;
        if (!stays)
        {
            if (_random.Next(2) == 0 && options.Policy != "reject")
                await old.KillAsync(tail: true, sender: true);
            else
                await old.StopAsync();
            await WaitAsync(_random.Next(0, 10), stopping);
        }

        var next = NewDevice();
        record.Count("guest on a new device");
        await UntilWellAsync(next, "login", CancellationToken.None);
        await next.KeepRunningAsync();
        if (!stays)
            return;
        await WaitAsync(_random.Next(0, 4), stopping);
        await old.KillAsync(tail: true, sender: true);
    }

    private Device NewDevice()
    {
        var (id, folder) = ($"d{_devices.Count + 1}", Path.Combine(home, "profiles", $"{name}-d{_devices.Count + 1}"));
        var nodes = Enumerable.Range(0, options.Nodes).Select(node => $"{Network.AddressOf(node)}:7401");
        var place = new ClientPlace(
            options.Client!, network.Guests(side), folder, home, [.. nodes.OrderBy(_ => _random.Next())]);
        var device = new Device(name, id, place, record);
        _devices.Add(device);
        return device;
    }

    /// <summary>As a person does who is told to try again later.</summary>
    private async Task UntilWellAsync(Device device, string command, CancellationToken stopping)
    {
        for (var attempt = 1; ; attempt++)
        {
            var (code, error) = await device.RunAsync(command, name);
            if (code == 0)
            {
                await device.RunAsync("requests", "off"); // They read whatever comes.
                return;
            }

            record.Count($"{command} of a guest failed: {error}");
            if (attempt == AttemptsMax)
                throw new InvalidOperationException($"{command} of {name} did not succeed: {error}");
            await WaitAsync(1, stopping);
        }
    }

    private static Task WaitAsync(int seconds, CancellationToken stopping) =>
        Task.Delay(TimeSpan.FromSeconds(seconds), stopping).ContinueWith(
            _ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
}
