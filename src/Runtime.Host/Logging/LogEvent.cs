using System.Diagnostics;
using Runtime.Host.Telemetry;

namespace Runtime.Host.Logging;

/// <summary>What one line of the log tells, before it has a format.</summary>
internal sealed record LogEvent(LogLevel Level, string Category, DateTimeOffset Time, string Message)
{
    /// <summary>The exception as text, which only its thrower's thread can be trusted to make; null for none.</summary>
    public string? Exception { get; init; }

    /// <summary>The request that the line is about; its fields take the message's place.</summary>
    public RequestRecord? Request { get; init; }

    /// <summary>The trace that the line belongs to; default for none.</summary>
    public ActivityContext Trace { get; init; }
}
