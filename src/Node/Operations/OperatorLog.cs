using ChordChat.Node.Base;
using Serilog;
using Serilog.Core;
using Serilog.Events;

namespace ChordChat.Node.Operations;

/// <summary>One line on the console for each event that an operator wants; the libraries below us only when they
/// warn.</summary>
internal static class OperatorLog
{
    /// <summary>Events of the libraries below us in a minute. Some have a stack; strangers can cause them.</summary>
    private const int LibraryLinesMax = 30;

    public static Logger Create(NodeOptions options)
    {
        var libraries = options.LogLevel > LogEventLevel.Warning ? options.LogLevel : LogEventLevel.Warning;
        var settings = new LoggerConfiguration()
            .MinimumLevel.Is(options.LogLevel)
            .MinimumLevel.Override("Microsoft", libraries)
            .MinimumLevel.Override("System", libraries)
            .MinimumLevel.Override("Grpc", libraries)
            // Who asks hears.
            .MinimumLevel.Override("Microsoft.Extensions.Diagnostics.HealthChecks", LogEventLevel.Fatal)
            .Filter.ByExcluding(IsBrokenOff)
            .Filter.ByExcluding(new LibraryLines(LibraryLinesMax).IsTooMuch);
        return (options.Log == LogFormat.Json
            ? settings.WriteTo.Console(new JsonLines())
            : settings.WriteTo.Console(new TextLines())).CreateLogger();
    }

    /// <summary>gRPC calls it an error that a caller stopped waiting, went away, or sent what is no frame of gRPC; for
    /// an operator that is no news, and a stranger could fill the disk with it.
    /// When the caller's deadline has ended the response under the answer's writing, it is Kestrel that complains:
    /// grpc-dotnet issue 783.</summary>
    internal static bool IsBrokenOff(LogEvent happened) =>
        happened.Exception is IOException or OperationCanceledException
            or InvalidDataException { Source: "Grpc.AspNetCore.Server" }
            or InvalidOperationException { Source: "Microsoft.AspNetCore.Server.Kestrel.Core" }
        && SourceOf(happened).StartsWith("Grpc.", StringComparison.Ordinal);

    private static string SourceOf(LogEvent happened) =>
        happened.Properties.GetValueOrDefault(Constants.SourceContextPropertyName) is ScalarValue { Value: string name }
            ? name
            : "";

    /// <summary>What the libraries say, of which so much a minute is enough.</summary>
    internal sealed class LibraryLines(int perMinute)
    {
        private readonly LineBudget _budget = new(perMinute);

        public bool IsTooMuch(LogEvent happened) =>
            SourceOf(happened) is var source
            && (source.StartsWith("Grpc.", StringComparison.Ordinal)
                || source.StartsWith("Microsoft.", StringComparison.Ordinal))
            && !_budget.Allows(Environment.TickCount64, out _);
    }
}
