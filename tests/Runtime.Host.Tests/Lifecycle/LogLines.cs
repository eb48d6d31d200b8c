using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace Runtime.Host.Tests.Lifecycle;

/// <summary>Hands the lines of a log to the test, each once.</summary>
internal sealed class LogLines : ILogger
{
    private readonly Channel<string> _lines = Channel.CreateUnbounded<string>();

    /// <summary>The next line, once it is written.</summary>
    public ValueTask<string> NextAsync() => _lines.Reader.ReadAsync();

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        => _lines.Writer.TryWrite($"{logLevel}: {formatter(state, exception)}");
}
