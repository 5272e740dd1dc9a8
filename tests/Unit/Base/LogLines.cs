using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace ChordChat.Tests.Unit.Base;

/// <summary>A log that keeps its lines.</summary>
/// <param name="form">A line of its level, its number and its text.</param>
internal sealed class LogLines<T>(Func<LogLevel, int, string, string> form) : ILogger<T>
{
    private readonly ConcurrentQueue<string> _said = [];

    /// <summary>In order.</summary>
    public IReadOnlyList<string> Said => [.. _said];

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception,
        Func<TState, Exception?, string> formatter) =>
        _said.Enqueue(form(logLevel, eventId.Id, formatter(state, exception)));
}
