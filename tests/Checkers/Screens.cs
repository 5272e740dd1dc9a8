namespace ChordChat.Tests.Checkers;

/// <summary>What was shown to people, on each of their devices, by each program that ran there. May be written by many
/// threads at once.</summary>
/// <remarks>A message is known by its text, which is sent once. A program that is killed may have shown a message and
/// not have remembered it: then the next one shows it again, with all that followed it.</remarks>
public sealed class Screens
{
    private readonly Lock _turn = new();
    private readonly Dictionary<string, Message> _messages = new(StringComparer.Ordinal);
    private readonly List<Screen> _screens = [];
    private readonly HashSet<(string Person, string Text)> _remembered = [];
    private readonly List<string> _swallowed = [];

    /// <summary>Writes a message down before it is sent.</summary>
    /// <param name="sender">The device that sends it; one device's messages keep their order.</param>
    public void Sent(string to, string sender, string text)
    {
        lock (_turn)
            _messages.Add(text, new(to, sender, _messages.Count));
    }

    /// <summary>Its sender was told that it is kept.</summary>
    public void Kept(string text)
    {
        lock (_turn)
            _messages[text].IsKept = true;
    }

    /// <summary>Its sender was told that it has arrived.</summary>
    public void Delivered(string text)
    {
        lock (_turn)
            _messages[text].IsDelivered = true;
    }

    /// <summary>A program begins to show a person's messages on a device.</summary>
    public Screen Begin(string person, string device)
    {
        var screen = new Screen(person, device);
        lock (_turn)
            _screens.Add(screen);
        return screen;
    }

    /// <param name="missing">How many of the sender's messages it said were missing before this one.</param>
    /// <param name="saysLate">Whether it said that this one came after later ones.</param>
    public void Shown(Screen screen, string text, int missing, bool saysLate)
    {
        lock (_turn)
            screen.Lines.Add((text, missing, saysLate));
    }

    /// <summary>The program was killed.</summary>
    public void Killed(Screen screen)
    {
        lock (_turn)
            screen.WasKilled = true;
    }

    /// <summary>A device tells a message in its history.</summary>
    /// <param name="asNew">Whether it would still show it as a new one.</param>
    public void Remembered(string person, string device, string text, bool asNew)
    {
        lock (_turn)
        {
            _remembered.Add((person, text));
            if (!asNew && !_screens.Any(screen => screen.IsOf(person, device) && screen.Has(text)))
                _swallowed.Add($"{device} of {person} counts {text} as shown, and never showed it");
        }
    }

    /// <summary>How many were sent, told to be kept, and shown.</summary>
    public (int Sent, int Kept, int Shown) Counts
    {
        get
        {
            lock (_turn)
                return (_messages.Count, _messages.Values.Count(message => message.IsKept),
                    _screens.SelectMany(screen => screen.Lines).Select(line => line.Text).Distinct().Count());
        }
    }

    /// <summary>Kept messages that no device has shown, or tells in its history.</summary>
    public IReadOnlyList<string> Missing()
    {
        lock (_turn)
        {
            var seen = SeenTexts();
            return [.. _messages.Where(one => one.Value.IsKept && !seen.Contains((one.Value.To, one.Key)))
                .Select(one => one.Key)];
        }
    }

    /// <summary>Whether a device of the person has shown a message, or tells it in its history.</summary>
    public bool HasSeen(string person, string text)
    {
        lock (_turn)
            return _remembered.Contains((person, text))
                || _screens.Any(screen => screen.Person == person && screen.Has(text));
    }

    /// <summary>What is wrong when everything had its time to arrive, in words.</summary>
    public IReadOnlyList<string> Faults()
    {
        lock (_turn)
        {
            var seen = SeenTexts();
            return
            [
                .. _screens.GroupBy(screen => (screen.Person, screen.Device))
                    .SelectMany(device => DeviceFaults([.. device])),
                .. _swallowed,
                .. _messages.Where(one => !seen.Contains((one.Value.To, one.Key)))
                    .Where(one => one.Value.IsKept || one.Value.IsDelivered)
                    .Select(one => $"{one.Key} to {one.Value.To} was called "
                        + $"{(one.Value.IsDelivered ? "delivered" : "kept")}, and no device ever showed it"),
            ];
        }
    }

    private HashSet<(string Person, string Text)> SeenTexts() =>
        [.. _remembered, .. _screens.SelectMany(screen => screen.Lines.Select(line => (screen.Person, line.Text)))];

    private IEnumerable<string> DeviceFaults(Screen[] screens)
    {
        var where = $"{screens[0].Device} of {screens[0].Person}";
        var reached = new Dictionary<string, Reached>(StringComparer.Ordinal);
        var seen = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var (at, screen) in screens.Index())
            foreach (var (text, missing, saysLate) in screen.Lines)
                if (!_messages.TryGetValue(text, out var message) || message.To != screen.Person)
                    yield return $"{where} showed {text}, which nobody sent there";
                else if (!seen.TryAdd(text, at))
                {
                    if (seen[text] == at || !MayComeAgain(screens[seen[text]], text, screens[(seen[text] + 1)..]))
                        yield return $"{where} showed {text} twice";
                }
                else
                {
                    var before = reached.GetValueOrDefault(message.Sender, Reached.Nothing);
                    if (OrderFault(before, message.Order, saysLate) is { } fault)
                        yield return $"{where} showed {text} {fault}";
                    reached[message.Sender] = before.After(message.Order, text, missing, saysLate);
                }
    }

    /// <summary>Only the end of what a killed program showed comes again.</summary>
    private static bool MayComeAgain(Screen killed, string text, Screen[] later) => killed.WasKilled
        && killed.Lines.SkipWhile(line => line.Text != text).All(line => later.Any(screen => screen.Has(line.Text)));

    private static string? OrderFault(Reached before, int order, bool saysLate)
    {
        if (order > before.Newest)
            return null;
        if (!saysLate)
            return $"after {before.Text}, which was sent later, and did not say that it was late";
        return order > before.Begin && before.Missing <= 0
            ? $"after {before.Text}, which was sent later, and had not said that one was missing"
            : null;
    }

    /// <summary>How far a device has come with what one device of a sender sent.</summary>
    /// <param name="Begin">The first that was not late; what is older a new device may have begun without.</param>
    /// <param name="Missing">How many were said to be missing and have not come yet.</param>
    private sealed record Reached(int Begin, int Newest, string Text, int Missing)
    {
        public static readonly Reached Nothing = new(int.MaxValue, -1, "", 0);

        public Reached After(int order, string text, int missing, bool saysLate)
        {
            var begun = saysLate || Begin != int.MaxValue ? this : this with { Begin = order };
            return order > Newest ? begun with { Newest = order, Text = text, Missing = Missing + missing }
                : order > Begin ? begun with { Missing = Missing + missing - 1 }
                : begun;
        }
    }

    private sealed class Message(string to, string sender, int order)
    {
        public string To => to;
        public string Sender => sender;
        public int Order => order;
        public bool IsKept { get; set; }
        public bool IsDelivered { get; set; }
    }
}

/// <summary>What one run of a program showed.</summary>
public sealed class Screen
{
    internal Screen(string person, string device) => (Person, Device) = (person, device);

    internal string Person { get; }
    internal string Device { get; }
    internal List<(string Text, int Missing, bool SaysLate)> Lines { get; } = [];
    internal bool WasKilled { get; set; }

    internal bool IsOf(string person, string device) => Person == person && Device == device;

    internal bool Has(string text) => Lines.Any(line => line.Text == text);
}
