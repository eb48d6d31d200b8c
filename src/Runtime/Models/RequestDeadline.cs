using Runtime.Inference;

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

    public static InferenceError Error(InferenceRequest request, ModelConfig config) => new(
        ErrorCode.DeadlineExceeded,
        $"{request.Prefix}request to model '{config.Name}' took longer than the {config.Limits.RequestTimeoutMilliseconds} milliseconds that it has");

    public void Dispose()
    {
        _registration.Dispose();
        _source.Dispose();
    }
}
