using System.Reflection;
using System.Text;
using System.Text.RegularExpressions;
using ChordChat.Crypto;
using Xunit;

namespace ChordChat.Tests.Unit.Crypto;

/// <summary>docs/e2e.md, Labels: one purpose, one label.</summary>
public partial class LabelTests
{
    private static readonly FieldInfo[] Fields = typeof(Labels).GetFields(BindingFlags.Public | BindingFlags.Static);

    private static readonly (string Name, string Text)[] Sources = Read("src/Crypto");

    [Fact]
    public void No_label_is_used_twice()
    {
        var labels = Fields.Select(field => Encoding.ASCII.GetString((byte[])field.GetValue(null)!)).ToList();

        Assert.Equal(24, labels.Count);
        Assert.Equal(labels.Count, labels.Distinct().Count());
        Assert.All(labels, label => Assert.Matches("^.ChordChat/1/(sig/)?[a-z0-9-]+$", label));
    }

    [Fact]
    public void Each_label_is_used_in_one_file_only()
    {
        Assert.All(Fields, field => Assert.Single(
            Sources, source => Regex.IsMatch(source.Text, $@"\bLabels\.{field.Name}\b")));
    }

    [Fact]
    public void Labels_are_written_in_one_file_only() =>
        Assert.Equal("Labels.cs", Assert.Single(Sources, source => source.Text.Contains("ChordChat/1/")).Name);

    [Fact]
    public void Every_section_that_the_code_cites_stands_in_the_document()
    {
        var document = File.ReadAllLines(Path.Combine(TestFiles.Root, "docs", "e2e.md"));
        var headings = document.Where(line => line.StartsWith('#')).Select(line => line.TrimStart('#', ' ')).ToList();

        var citations = Read("src")
            .SelectMany(source => Citation().Matches(CommentBreak().Replace(source.Text, " ")))
            .SelectMany(citation => citation.Groups[1].Value.Split(" and "))
            .ToList();

        Assert.Contains("Receiving", citations); // The client's, too.
        Assert.All(citations, citation => Assert.Contains(citation, headings));
    }

    private static (string Name, string Text)[] Read(string folder) =>
    [
        .. Repository.Sources(folder)
            .Select(file => (Path.GetFileName(file), string.Join('\n', Repository.Lines(file)))),
    ];

    [GeneratedRegex(@"docs/e2e\.md, ([A-Za-z][A-Za-z -]*[a-z])")]
    private static partial Regex Citation();

    /// <summary>A citation may go on in the next line.</summary>
    [GeneratedRegex(@"\s*\n\s*/// ")]
    private static partial Regex CommentBreak();
}
