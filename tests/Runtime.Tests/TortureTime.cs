using System.Diagnostics;
using System.Globalization;

namespace Runtime.Tests;

/// <summary>
/// How long a torture test goes on: <c>RUNTIME_TORTURE_SECONDS</c>, or a minute where <c>CI</c> is true, or six seconds, or
/// a share of it. However slow the machine, each sends some thousand requests.
/// </summary>
internal sealed class TortureTime(double share = 1)
{
    private const int FewestRequests = 8000;

    private static readonly double Seconds = double.Parse(
        Environment.GetEnvironmentVariable("RUNTIME_TORTURE_SECONDS") ?? (Environment.GetEnvironmentVariable("CI") == "true" ? "60" : "6"),
        CultureInfo.InvariantCulture);

    private readonly long _start = Stopwatch.GetTimestamp();
    private int _requests;

    /// <summary>Requests that were sent.</summary>
    public int Requests => Volatile.Read(ref _requests);

    /// <summary>Counts a request that is about to be sent; false when there were enough.</summary>
    public bool TryNext()
    {
        if (Stopwatch.GetElapsedTime(_start).TotalSeconds > Seconds * share && Requests >= FewestRequests)
        {
            return false;
        }

        Interlocked.Increment(ref _requests);
        return true;
    }
}
