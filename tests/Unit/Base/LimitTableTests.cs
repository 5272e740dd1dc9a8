using System.Text.RegularExpressions;
using ChordChat.Wire;
using Google.Protobuf.Reflection;
using Grpc.Health.V1;
using Xunit;

namespace ChordChat.Tests.Unit.Base;

/// <summary>docs/operations.md, "Limits": nobody adds something that can be asked of a node without saying what bounds
/// it.</summary>
public sealed class LimitTableTests
{
    private static readonly FileDescriptor[] Files =
    [
        ChatReflection.Descriptor, ReplicaReflection.Descriptor, RingReflection.Descriptor, ViewReflection.Descriptor,
        HealthReflection.Descriptor,
    ];

    private static readonly Dictionary<string, string> BoundedBy = Repository.Lines("docs/operations.md")
        .SkipWhile(line => !line.StartsWith("| call | who |", StringComparison.Ordinal)).Skip(2)
        .TakeWhile(line => line.StartsWith('|'))
        .Select(line => line.Split('|', StringSplitOptions.TrimEntries))
        .ToDictionary(cells => cells[1].Trim('`'), cells => cells[4]);

    [Fact]
    public void Every_method_has_a_row() => Assert.All(
        from file in Files
        from service in file.Services
        from method in service.Methods
        select $"{service.Name}.{method.Name}",
        method => Assert.True(BoundedBy.ContainsKey(method), $"docs/operations.md has no row for {method}."));

    [Fact]
    public void Every_row_names_classes_that_there_are()
    {
        var classes = Repository.Sources("src").SelectMany(Repository.Lines)
            .SelectMany(line => Regex.Matches(line, @"\b(?:class|struct|record(?! struct)) (\w+)"))
            .Select(match => match.Groups[1].Value).ToHashSet();
        Assert.All(BoundedBy, row => Assert.All(
            row.Value.Split(", "),
            name => Assert.True(classes.Contains(name.Trim('`')), $"{row.Key}: there is no {name}.")));
    }
}
