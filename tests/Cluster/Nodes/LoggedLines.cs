using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace ChordChat.Tests.Cluster.Nodes;

/// <summary>The lines of a node's log, by their numbers.</summary>
internal sealed class LoggedLines : ILoggerProvider, ILogger
{
    private readonly ConcurrentQueue<int> _numbers = [];

    public int Of(int number) => _numbers.Count(one => one == number);

    public ILogger CreateLogger(string categoryName) => this;

    public void Dispose() { }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception,
        Func<TState, Exception?, string> formatter) => _numbers.Enqueue(eventId.Id);
}
