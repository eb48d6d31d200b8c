using System.Diagnostics;

/// <summary>Streams the time at which each event was made, so that a client can tell how long it took to arrive.</summary>
public sealed class Ticker : Function
{
    public override async IAsyncEnumerable<Outputs> StreamAsync(Inputs inputs, FunctionRequest request)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1.0 / inputs.Get<int>("per_second")));
        for (var i = 0; i < inputs.Get<int>("count") && await timer.WaitForNextTickAsync(request.Cancellation); i++)
        {
            yield return new() { ["stamp"] = Stopwatch.GetTimestamp() };
        }
    }
}
