using System.Globalization;
using Serilog;
using Serilog.Core;
using Serilog.Events;

namespace ChordChat.Node.Hosting;

/// <summary>One line on the console for each event that an operator wants; the libraries below us only when they
/// warn.</summary>
internal static class OperatorLog
{
    public static Logger Create(NodeOptions options)
    {
        var settings = new LoggerConfiguration()
            .MinimumLevel.Is(options.LogLevel)
            .MinimumLevel.Override("Microsoft", LogEventLevel.Warning)
            .MinimumLevel.Override("System", LogEventLevel.Warning)
            .MinimumLevel.Override("Grpc", LogEventLevel.Warning);
        return (options.Log == LogFormat.Json
            ? settings.WriteTo.Console(new JsonLines())
            : settings.WriteTo.Console(
                outputTemplate: "{Timestamp:yyyy-MM-dd HH:mm:ss.fff} {Level:u3} {Message:lj}{NewLine}{Exception}",
                formatProvider: CultureInfo.InvariantCulture)).CreateLogger();
    }
}
