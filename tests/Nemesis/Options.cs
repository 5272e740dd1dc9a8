using System.Globalization;

namespace ChordChat.Tests.Nemesis;

/// <summary>The command line: pairs of --name value.</summary>
/// <param name="Program">The built chordchat-node.</param>
/// <param name="Client">The built chordchat; null: no guests.</param>
/// <param name="Copies">Of everything.</param>
/// <param name="IsForNumbers">Measures one fault after the other instead of drawing them.</param>
/// <param name="Parts">Which ones.</param>
/// <param name="SplitPerNode">Tiles there should be for each node: while there are fewer, they are cut.</param>
/// <param name="People">With the library; null: 20, or 10 beside guests.</param>
/// <param name="Guests">People with the shipped client.</param>
/// <param name="Policy">What becomes of the old session at a second login.</param>
internal sealed record Options(
    string Program, string? Client, double Minutes, int Seed, int Nodes, int Copies, string Mix, string Artifacts,
    bool IsForNumbers, IReadOnlyList<string> Parts, int? SplitPerNode, int? People, int Guests, string Policy)
{
    private static readonly string[] Names =
    [
        "--program", "--client", "--minutes", "--seed", "--nodes", "--copies", "--mix", "--artifacts", "--parts",
        "--split", "--people", "--guests", "--policy",
    ];

    /// <exception cref="FormatException">A number is none; an option is not known or has no value.</exception>
    public static Options Parse(string[] arguments)
    {
        Check(arguments);
        string Value(string name, string otherwise) =>
            Array.IndexOf(arguments, $"--{name}") is >= 0 and var at && at + 1 < arguments.Length
                ? arguments[at + 1]
                : otherwise;
        var culture = CultureInfo.InvariantCulture;
        return new(
            Value("program", "artifacts/bin/chordchat-node"),
            Value("client", "") is { Length: > 0 } client ? client : null, double.Parse(Value("minutes", "2"), culture),
            int.Parse(Value("seed", "1"), culture), int.Parse(Value("nodes", "5"), culture),
            int.Parse(Value("copies", "3"), culture), Value("mix", "all"),
            Path.GetFullPath(Value("artifacts", "artifacts/nemesis")), arguments.Contains("--numbers"),
            Value("parts", "calm,kill,cut,freeze,leave,power").Split(','),
            Value("split", "") is { Length: > 0 } split ? int.Parse(split, culture) : null,
            Value("people", "") is { Length: > 0 } people ? int.Parse(people, culture) : null,
            int.Parse(Value("guests", "4"), culture), Value("policy", "takeover"));
    }

    private static void Check(string[] arguments)
    {
        for (var at = 0; at < arguments.Length; at++)
        {
            var option = arguments[at];
            if (option == "--numbers")
                continue;
            if (!Names.Contains(option))
                throw new FormatException(
                    $"there is no option {option}; there are --numbers {string.Join(' ', Names)}");
            if (++at == arguments.Length)
                throw new FormatException($"{option} needs a value");
        }
    }
}
