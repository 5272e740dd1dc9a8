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
            .MinimumLevel.Override("Grpc", LogEventLevel.Warning)
            // Who asks hears.
            .MinimumLevel.Override("Microsoft.Extensions.Diagnostics.HealthChecks", LogEventLevel.Fatal)
            .Filter.ByExcluding(IsBrokenOff);
        return (options.Log == LogFormat.Json
            ? settings.WriteTo.Console(new JsonLines())
            : settings.WriteTo.Console(
                outputTemplate: "{Timestamp:yyyy-MM-dd HH:mm:ss.fff} {Level:u3} {Message:lj}{NewLine}{Exception}",
                formatProvider: CultureInfo.InvariantCulture)).CreateLogger();
    }

    /// <summary>gRPC calls it an error that a caller stopped waiting or went away; for an operator that is no news.
    /// When the caller's deadline has ended the response under the answer's writing, it is Kestrel that complains:
    /// grpc-dotnet issue 783.</summary>
    internal static bool IsBrokenOff(LogEvent happened) =>
        happened.Exception is IOException or OperationCanceledException
            or InvalidOperationException { Source: "Microsoft.AspNetCore.Server.Kestrel.Core" }
        && happened.Properties.TryGetValue(Constants.SourceContextPropertyName, out var source)
        && source is ScalarValue { Value: string name } && name.StartsWith("Grpc.", StringComparison.Ordinal);
}
