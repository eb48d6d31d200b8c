using System.Diagnostics;
using Runtime.Models;

namespace Runtime.Inference;

/// <summary>How a request went through its model, for whoever logs or traces it: set on the request, and filled by the model before its last response.</summary>
public sealed class RequestTimeline
{
    private long _firstResponse;

    /// <summary>How long the request waited for an instance; zero where it never stood in a queue.</summary>
    public TimeSpan Queue => Between(Times.Queued, Times.ComputeStart);

    /// <summary>How long its batch executed, with what went before and after; for an ensemble, all of its steps.</summary>
    public TimeSpan Compute => Between(Times.ComputeStart, Times.ComputeEnd);

    /// <summary>From the request's arrival to its first response; zero for none.</summary>
    public TimeSpan FirstResponse => Between(Times.Arrival, _firstResponse);

    /// <summary>The request's own rows, whatever batch it was executed in; 0 if it came to no execution.</summary>
    public int Rows { get; private set; }

    /// <summary>The responses that were no errors.</summary>
    public int Responses { get; private set; }

    /// <summary>What the model's work is traced as; null where it is not.</summary>
    public Activity? Activity { get; internal set; }

    internal RequestTimes Times { get; private set; }

    /// <summary>A request that failed on its way was at that stage until now.</summary>
    internal void Record(RequestTimes times, int rows)
    {
        var now = Stopwatch.GetTimestamp();
        if (times.ComputeStart == 0)
        {
            (times.ComputeStart, times.ComputeEnd) = (times.Queued == 0 ? 0 : now, 0);
        }
        else if (times.ComputeEnd == 0)
        {
            times.ComputeEnd = now;
        }

        (Times, Rows) = (times, rows);
    }

    internal void AddResponse()
    {
        if (Responses++ == 0)
        {
            _firstResponse = Stopwatch.GetTimestamp();
        }
    }

    private static TimeSpan Between(long start, long end) => start == 0 || end <= start ? TimeSpan.Zero : Stopwatch.GetElapsedTime(start, end);
}
