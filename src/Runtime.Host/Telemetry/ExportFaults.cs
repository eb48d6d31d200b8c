using System.Diagnostics.Tracing;

namespace Runtime.Host.Telemetry;

/// <summary>Tells the log of telemetry that cannot be exported, at most once a minute, since OpenTelemetry itself keeps silent.</summary>
internal sealed class ExportFaults(ILogger logger, TimeProvider time) : EventListener
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    private long _last;

    protected override void OnEventSourceCreated(EventSource eventSource)
    {
        if (eventSource.Name.StartsWith("OpenTelemetry-", StringComparison.Ordinal))
        {
            EnableEvents(eventSource, EventLevel.Warning);
        }
    }

    protected override void OnEventWritten(EventWrittenEventArgs eventData)
    {
        // Sources that exist already report before this is constructed.
        if (logger is null || eventData.Message is not { } message)
        {
            return;
        }

        var (now, last) = (time.GetTimestamp(), Volatile.Read(ref _last));
        if ((last == 0 || time.GetElapsedTime(last, now) >= Interval) && Interlocked.CompareExchange(ref _last, now, last) == last)
        {
            var text = string.Format(System.Globalization.CultureInfo.InvariantCulture, message, [.. eventData.Payload ?? Enumerable.Empty<object?>()]);
            logger.LogWarning("Telemetry: {Fault} (told at most once a minute)", text.Split('\n')[0]);
        }
    }
}
