using System.Globalization;
using System.Text.RegularExpressions;
using Xunit;

namespace ChordChat.Tests.Unit;

/// <summary>What ARCHITECTURE.md promises and the compiler cannot keep. Each message names file, fact and
/// limit.</summary>
public partial class TidyTests
{
    private const int FileLinesMax = 400;
    private const int FunctionLinesMax = 60;
    private const int ColumnsMax = 120;

    private static readonly string[] WireFolders =
    [
        "src/Wire/", "src/Node/Links/", "src/Node/View/", "src/Node/Commands/", "src/Sdk/", "src/Visualizer/",
        .. from file in (string[])
            [
                "Base/PeerWords", "Ring/RingCalls", "Ring/RingService", "Ring/SettingNews",
                "Chat/CallHandler", "Chat/ChatDoor", "Chat/ChatLine", "Chat/ChatMaps", "Chat/ChatService",
                "Chat/PeerChatAnswers", "Chat/PeerChatLink", "Chat/PeerChatMap", "Chat/SessionShowing",
            ]
            select $"src/Node/{file}.cs",
    ];

    /// <summary>The node's folders: each uses only what stands before it.</summary>
    private static readonly string[] NodeFolders =
    [
        "Base", "Storage", "Identity", "Discovery", "Links", "Ring", "Tiles", "Chat", "View", "Operations", "Commands",
    ];

    private static readonly string[] Everything =
        [.. Repository.Sources("src"), .. Repository.Sources("tests"), .. Repository.Sources("bench")];

    [Fact]
    public void No_file_is_longer_than_a_person_reads_at_once() => AssertNone(
        from file in Everything
        let lines = Repository.Lines(file).Length
        where lines > FileLinesMax
        select $"{file} has {lines} lines; the limit is {FileLinesMax}.");

    [Fact]
    public void No_line_is_wider_than_half_a_screen() => AssertNone(
        from file in Everything
        from line in Repository.Lines(file).Index()
        where line.Item.Length > ColumnsMax
        select $"{file}:{line.Index + 1} has {line.Item.Length} columns; the limit is {ColumnsMax}.");

    [Fact]
    public void No_function_is_longer_than_a_screen() => AssertNone(
        from file in Everything
        from function in FunctionLengths.Of(Repository.Lines(file))
        where function.Lines > FunctionLinesMax
        select $"{file}:{function.At} {function.Name} has {function.Lines} lines; the limit is {FunctionLinesMax}.");

    [Theory]
    [InlineData("src/Core/Ring/", "ChordChat.Core.Tiles")]
    [InlineData("src/Core/Ring/", "ChordChat.Core.Chat")]
    [InlineData("src/Core/Tiles/", "ChordChat.Core.Chat")]
    [InlineData("src/Core/", "ChordChat.Crypto")]
    [InlineData("src/Core/", "ChordChat.Wire")]
    [InlineData("src/Crypto/", "ChordChat.Core")]
    public void Nothing_leans_on_what_stands_above_it(string folder, string above) => AssertNone(
        from file in Everything
        where file.StartsWith(folder, StringComparison.Ordinal)
        from line in Repository.Lines(file).Index()
        where Mentions(line.Item, above)
        select $"{file}:{line.Index + 1} leans on {above}; {folder} must not.");

    [Fact]
    public void Each_folder_of_the_node_uses_only_what_stands_before_it() => AssertNone(
        from file in Repository.Sources("src/Node")
        let at = Array.IndexOf(NodeFolders, file.Split('/')[2])
        where at >= 0
        from line in Repository.Lines(file).Index()
        from above in NodeFolders[(at + 1)..]
        where Mentions(line.Item, $"ChordChat.Node.{above}")
        select $"{file}:{line.Index + 1} leans on {above}, which stands above {NodeFolders[at]}.");

    [Fact]
    public void Every_folder_of_the_node_has_its_place_in_the_order() => Assert.Equal(
        NodeFolders.Order(),
        Repository.Sources("src/Node").Select(file => file.Split('/')).Where(parts => parts.Length > 3)
            .Select(parts => parts[2]).Distinct().Order());

    /// <summary>Their namespace needs no using, so the order above would not show it.</summary>
    [Fact]
    public void Nothing_in_the_node_leans_on_the_program_itself() => AssertNone(
        from file in Repository.Sources("src/Node")
        where file.Split('/').Length > 3
        from line in Repository.Lines(file).Index()
        from name in (string[])["Program.", "RunningNode.", "RunCommand."]
        where line.Item.Contains(name, StringComparison.Ordinal)
            && !line.Item.TrimStart().StartsWith("//", StringComparison.Ordinal)
        select $"{file}:{line.Index + 1} uses {name}");

    [Fact]
    public void Wire_types_stay_at_the_edge() => AssertNone(
        from file in Everything
        where file.StartsWith("src/", StringComparison.Ordinal)
        where !WireFolders.Any(folder => file.StartsWith(folder, StringComparison.Ordinal))
        from line in Repository.Lines(file).Index()
        where Mentions(line.Item, "ChordChat.Wire")
        select $"{file}:{line.Index + 1} uses ChordChat.Wire; only {string.Join(", ", WireFolders)} may.");

    [Fact]
    public void No_two_log_messages_of_the_node_share_a_number() => AssertNone(
        from message in Repository.Sources("src/Node").SelectMany(LogMessages)
        group message.Place by message.Number into same
        where same.Count() > 1
        select $"Event {same.Key} is used {same.Count()} times, once is the limit: {string.Join(", ", same)}.");

    private static IEnumerable<(int Number, string Place)> LogMessages(string file) =>
        from Match match in LogMessage().Matches(string.Join('\n', Repository.Lines(file)))
        let number = int.Parse(match.Groups["number"].ValueSpan, CultureInfo.InvariantCulture)
        select (number, $"{file} at \"{match.Groups["text"].Value}\"");

    /// <summary>Whether a line of code, not of comment, names this namespace or one below it.</summary>
    private static bool Mentions(string line, string space)
    {
        var code = line.TrimStart();
        var at = code.IndexOf(space, StringComparison.Ordinal);
        return at >= 0
            && !code.StartsWith("//", StringComparison.Ordinal)
            && (at + space.Length == code.Length || !char.IsLetterOrDigit(code[at + space.Length]));
    }

    private static void AssertNone(IEnumerable<string> faults)
    {
        var all = faults.ToList();
        Assert.True(all.Count == 0, string.Join('\n', all));
    }

    [GeneratedRegex("""LoggerMessage\(\s*(?:EventId\s*=\s*)?(?<number>[0-9]+)\s*,[^"]*"(?<text>[^"]*)""")]
    private static partial Regex LogMessage();
}
