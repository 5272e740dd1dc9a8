namespace ChordChat.Bench;

/// <summary>What to measure, and how much of it.</summary>
internal sealed record BenchOptions
{
    public static readonly IReadOnlyList<string> ScenarioNames =
        ["kept", "delivered", "logins", "idle", "change", "shown"];

    public int NodeCount { get; init; } = 3;

    public IReadOnlyList<string> Scenarios { get; init; } = ScenarioNames;

    public IReadOnlyList<int> Outstanding { get; init; } = [1, 16, 64, 256];

    /// <summary>Sessions that the outstanding messages are spread over; one when fewer are outstanding.</summary>
    public int SenderCount { get; init; } = 8;

    public int RecipientCount { get; init; } = 128;

    /// <summary>Bytes of text in a message. Up to about 700 make a sealed box of 1 KiB.</summary>
    public int TextBytes { get; init; } = 700;

    public int IdleCount { get; init; } = 2_000;

    public int LoginCount { get; init; } = 100;

    /// <summary>Work of one password check; the cluster's own default is 12.</summary>
    public int BcryptCost { get; init; } = 12;

    /// <summary>Messages of one run are divided by this.</summary>
    public int Divisor { get; init; } = 1;

    /// <summary>Load before anything is measured. The runtime compiles what is hot again, for as long as that; with too
    /// little of it that is what is measured.</summary>
    public TimeSpan WarmUp { get; init; } = TimeSpan.FromSeconds(30);

    public TimeSpan IdleTime { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>How the program was started, as it stands in every result.</summary>
    public required string CommandLine { get; init; }

    /// <summary>A few seconds for each scenario: whether it works, not how fast it is.</summary>
    public BenchOptions Quick() => this with
    {
        Outstanding = [1, 64],
        RecipientCount = 16,
        IdleCount = 100,
        LoginCount = 10,
        BcryptCost = 10,
        Divisor = 20,
        WarmUp = TimeSpan.FromSeconds(1),
        IdleTime = TimeSpan.FromSeconds(6),
    };

    public int MessageCount(int outstanding) => outstanding switch
    {
        < 8 => 4_000,
        < 64 => 20_000,
        _ => 50_000,
    } / Divisor;
}
