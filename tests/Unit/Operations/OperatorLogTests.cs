using ChordChat.Node.Operations;
using Serilog.Core;
using Serilog.Events;
using Xunit;

namespace ChordChat.Tests.Unit.Operations;

/// <summary>What gRPC calls an error and is none to an operator.</summary>
public sealed class OperatorLogTests
{
    private const string Calls = "Grpc.AspNetCore.Server.ServerCallHandler";
    private const string Kestrel = "Microsoft.AspNetCore.Server.Kestrel.Core";

    public static TheoryData<string, Exception, bool> Events => new()
    {
        { Calls, new IOException(), true },
        { Calls, new OperationCanceledException(), true },
        { Calls, new InvalidOperationException { Source = Kestrel }, true },
        { Calls, new InvalidOperationException { Source = "chordchat-node" }, false },
        { Calls, new InvalidDataException { Source = "Grpc.AspNetCore.Server" }, true },
        { Calls, new InvalidDataException { Source = "chordchat-node" }, false },
        { Calls, new ArgumentException { Source = Kestrel }, false },
        { "ChordChat.Node.Chat.Login", new IOException(), false },
        { Kestrel, new InvalidOperationException { Source = Kestrel }, false },
    };

    [Theory, MemberData(nameof(Events))]
    public void A_call_that_its_caller_broke_off_is_no_news(string source, Exception exception, bool isLeftOut) =>
        Assert.Equal(isLeftOut, OperatorLog.IsBrokenOff(Event(source, exception)));

    /// <summary>docs/operations.md#limits: strangers can make a library complain as often as they like.</summary>
    [Fact]
    public void Libraries_get_so_many_lines_a_minute_and_the_node_itself_all()
    {
        var lines = new OperatorLog.LibraryLines(3);
        Assert.Equal(3, Enumerable.Range(0, 100).Count(_ => !lines.IsTooMuch(Event(Calls, new ArgumentException()))));
        Assert.True(lines.IsTooMuch(Event(Kestrel, new ArgumentException())));
        Assert.False(lines.IsTooMuch(Event("ChordChat.Node.Chat.Login", new ArgumentException())));
    }

    /// <summary>docs/operations.md#settings.</summary>
    [Theory]
    [InlineData(LogEventLevel.Debug, LogEventLevel.Warning)]
    [InlineData(LogEventLevel.Information, LogEventLevel.Warning)]
    [InlineData(LogEventLevel.Error, LogEventLevel.Error)]
    public void The_level_that_is_set_is_that_of_the_node_and_libraries_say_what_is_wrong(
        LogEventLevel set, LogEventLevel libraries)
    {
        using var log = OperatorLog.Create(new() { Data = "", LogLevel = set });
        Assert.Equal(set, Lowest("ChordChat.Node.Ring.RingAuditor"));
        Assert.Equal(libraries, Lowest(Calls));
        Assert.Equal(libraries, Lowest(Kestrel));

        LogEventLevel Lowest(string source) => Enum.GetValues<LogEventLevel>().First(
            log.ForContext(Constants.SourceContextPropertyName, source).IsEnabled);
    }

    private static LogEvent Event(string source, Exception exception) => new(
        DateTimeOffset.UnixEpoch, LogEventLevel.Error, exception, MessageTemplate.Empty,
        [new(Constants.SourceContextPropertyName, new ScalarValue(source))]);
}
