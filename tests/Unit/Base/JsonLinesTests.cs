using System.Globalization;
using System.Text.Json;
using ChordChat.Node.Base;
using Serilog;
using Xunit;

namespace ChordChat.Tests.Unit.Base;

public class JsonLinesTests
{
    [Fact]
    public void An_event_is_one_line_with_its_text_and_its_values()
    {
        using var output = new StringWriter(CultureInfo.InvariantCulture);
        using (var logger = new LoggerConfiguration().WriteTo.Sink(new Lines(output)).CreateLogger())
            logger.Error(
                new InvalidOperationException("a\nb"), "{Name} has found {Count} \"others\" on a {Day}", "n1", 3,
                DayOfWeek.Friday);
        var line = Assert.Single(output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries));
        using var json = JsonDocument.Parse(line);
        Assert.Equal("n1 has found 3 \"others\" on a Friday", json.RootElement.GetProperty("text").GetString());
        Assert.Equal("Error", json.RootElement.GetProperty("level").GetString());
        Assert.Equal("n1", json.RootElement.GetProperty("Name").GetString());
        Assert.Equal(3, json.RootElement.GetProperty("Count").GetInt32());
        Assert.Contains("a\nb", json.RootElement.GetProperty("exception").GetString(), StringComparison.Ordinal);
    }

    private sealed class Lines(TextWriter output) : Serilog.Core.ILogEventSink
    {
        public void Emit(Serilog.Events.LogEvent logEvent) => new JsonLines().Format(logEvent, output);
    }
}
