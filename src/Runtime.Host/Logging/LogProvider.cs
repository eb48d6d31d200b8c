using Runtime.Host.Settings;

namespace Runtime.Host.Logging;

/// <summary>Writes what the log settings let through, as they are at that moment.</summary>
internal sealed class LogProvider(LogSettings settings, LogOutput output, TimeProvider time) : ILoggerProvider
{
    /// <summary>A factory with this provider alone; it starts with <paramref name="warnings"/>.</summary>
    public static LoggerFactory CreateFactory(LogSettings settings, LogOutput output, IReadOnlyList<string> warnings)
    {
        // What is enabled changes while the server runs, so the factory itself filters nothing.
        var loggers = new LoggerFactory([new LogProvider(settings, output, TimeProvider.System)], new LoggerFilterOptions { MinLevel = LogLevel.Trace });
        var logger = loggers.CreateLogger<LogProvider>();
        foreach (var warning in warnings)
        {
            logger.LogWarning("{Warning}", warning);
        }

        return loggers;
    }

    public ILogger CreateLogger(string categoryName) => new CategoryLogger(this, categoryName);

    public void Dispose()
    {
    }

    private bool IsEnabled(LogLevel level, bool isOurs) => level switch
    {
        LogLevel.None => false,
        LogLevel.Critical or LogLevel.Error => settings.Error,
        LogLevel.Warning => settings.Warning,
        // The web server's information is detail to whoever runs models.
        LogLevel.Information => isOurs ? settings.Info : settings.VerboseLevel >= 1,
        _ => settings.VerboseLevel >= (isOurs ? 1 : 2),
    };

    private sealed class CategoryLogger(LogProvider provider, string category) : ILogger
    {
        private readonly bool _isOurs = category.StartsWith("Runtime.", StringComparison.Ordinal);
        private readonly string _shortName = category[(category.LastIndexOf('.') + 1)..];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => provider.IsEnabled(logLevel, _isOurs);

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
            {
                var message = exception is null ? formatter(state, null) : $"{formatter(state, exception)}\n{exception}";
                provider.Write(logLevel, _shortName, message);
            }
        }
    }

    private void Write(LogLevel level, string category, string message) =>
        output.Write(LogLine.Format(settings.Format, level, category, time.GetUtcNow(), message));
}
