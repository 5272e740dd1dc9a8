using System.Globalization;
using System.Text.Json;
using ChordChat.Node.Base;
using Serilog.Events;
using Serilog.Formatting;
using Serilog.Parsing;
using Xunit;

namespace ChordChat.Tests.Unit.Base;

/// <summary>docs/security.md, "The gate": what others choose begins no line and turns no text around.</summary>
public sealed class TextLinesTests
{
    private const string Evil = "me\u202Eyob\nnode INF all is well\u001b[2J\u2028\u200B\U000E0041";

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_others_choose_shows_as_what_it_is(bool json)
    {
        var line = Written(json ? new JsonLines() : new TextLines(), null);
        Assert.Single(line.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Contains(@"\u202E", line, StringComparison.Ordinal);
        Assert.DoesNotContain(line.TrimEnd(), c => c is < ' ' or > '\u02ff');
        if (json)
            Assert.Equal(Evil, JsonDocument.Parse(line).RootElement.GetProperty("Client").GetString());
    }

    [Fact]
    public void A_text_in_an_exception_is_no_line_of_the_log_either()
    {
        var lines = Written(new TextLines(), new InvalidOperationException(Evil)).Split(
            '\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.All(lines[1..], line => Assert.StartsWith("   ", line, StringComparison.Ordinal));
        Assert.DoesNotContain(string.Concat(lines), c => c is < ' ' or > '\u02ff');
    }

    [Fact]
    public void Letters_stay_as_they_are() => Assert.Equal("Zoë, Ωμέγα, 好", TextLines.Escaped("Zoë, Ωμέγα, 好"));

    private static string Written(ITextFormatter formatter, Exception? exception)
    {
        using var output = new StringWriter(CultureInfo.InvariantCulture) { NewLine = "\n" };
        formatter.Format(
            new LogEvent(
                DateTimeOffset.UnixEpoch, LogEventLevel.Information, exception,
                new MessageTemplateParser().Parse("{Client} is here"),
                [new LogEventProperty("Client", new ScalarValue(Evil))]),
            output);
        return output.ToString();
    }
}
