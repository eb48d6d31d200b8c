using Runtime.Inference;
using Runtime.Scheduling;

namespace Runtime.Models;

/// <summary>Ends a request when its time is over or its client is gone, and tells the two apart.</summary>
internal sealed class RequestDeadline : IDisposable
{
    private readonly CancellationToken _client;
    private readonly CancellationTokenSource _source;
    private readonly CancellationTokenRegistration _registration;

    public RequestDeadline(TimeSpan limit, TimeProvider time, CancellationToken client)
    {
        _client = client;
        _source = new CancellationTokenSource(limit, time);
        _registration = client.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), _source);
    }

    public CancellationToken Token => _source.Token;

    /// <summary>Whether the time is over, and not the client's patience.</summary>
    public bool IsOver => _source.IsCancellationRequested && !_client.IsCancellationRequested;

    /// <summary>Null, and nothing allocated, for a model without a limit; otherwise the token becomes the one that ends with the time.</summary>
    public static RequestDeadline? Start(ModelConfig config, TimeProvider time, ref CancellationToken cancellation)
    {
        if (config.Limits.RequestTimeoutMilliseconds == 0)
        {
            return null;
        }

        var deadline = new RequestDeadline(TimeSpan.FromMilliseconds(config.Limits.RequestTimeoutMilliseconds), time, cancellation);
        cancellation = deadline.Token;
        return deadline;
    }

    /// <summary>A cancellation that the time limit caused is told as such; outputs that were made in spite of it are still good.</summary>
    public static PendingResult InTime(PendingResult result, InferenceRequest request, ModelConfig config, RequestDeadline? deadline)
        => deadline is { IsOver: true } && result.Error is { Code: ErrorCode.Cancelled }
            ? new PendingResult(null, Error(request, config), FailureReason.Other)
            : result;

    private static InferenceError Error(InferenceRequest request, ModelConfig config) => new(
        ErrorCode.DeadlineExceeded,
        $"{request.Prefix}request to model '{config.Name}' took longer than the {config.Limits.RequestTimeoutMilliseconds} milliseconds that it has");

    public void Dispose()
    {
        _registration.Dispose();
        _source.Dispose();
    }
}
