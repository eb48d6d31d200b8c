using System.Diagnostics;
using Runtime.Host.Settings;
using Runtime.Host.Telemetry;

namespace Runtime.Host.Logging;

/// <summary>Writes what the log settings let through, as they are at that moment.</summary>
internal sealed class LogProvider(LogSettings settings, LogOutput output, TimeProvider time) : ILoggerProvider
{
    /// <summary>A factory with this provider and perhaps another, which is given what this one writes; it starts with <paramref name="warnings"/>.</summary>
    public static LoggerFactory CreateFactory(LogSettings settings, LogOutput output, IReadOnlyList<string> warnings, ILoggerProvider? other = null)
    {
        var own = new LogProvider(settings, output, TimeProvider.System);

        // What is enabled changes while the server runs, so it is asked for each line.
        var filter = new LoggerFilterOptions { MinLevel = LogLevel.Trace };
        filter.Rules.Add(new LoggerFilterRule(null, null, null, (_, category, level) => own.IsEnabled(level, category ?? "")));
        var loggers = new LoggerFactory(other is null ? [own] : [own, other], filter);
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

    private bool IsEnabled(LogLevel level, string category) => category == RequestObserver.Category || IsEnabled(level, !IsFrameworks(category));

    private static bool IsFrameworks(string category)
        => category.StartsWith("Microsoft.", StringComparison.Ordinal) || category.StartsWith("System.", StringComparison.Ordinal);

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
        private readonly string _shortName = category[(category.LastIndexOf('.') + 1)..];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => provider.IsEnabled(logLevel, category);

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (!IsEnabled(logLevel))
            {
                return;
            }

            var request = state as RequestRecord;
            provider.Write(new LogEvent(logLevel, _shortName, provider.Now, request is null ? formatter(state, exception) : "")
            {
                Exception = exception?.ToString(),
                Request = request,
                Trace = Activity.Current?.Context ?? default,
            });
        }
    }

    private DateTimeOffset Now => time.GetUtcNow();

    private void Write(LogEvent line) => output.Write(new LogText(settings, line));
}
