using Runtime.Host.Http;
using Runtime.Host.Lifecycle;
using Runtime.Inference;
using Runtime.Protocol.Health;
using Serving = Runtime.Protocol.Health.HealthCheckResponse.Types.ServingStatus;

namespace Runtime.Host.Grpc;

/// <summary>The standard health checks, for the server ("") and for its inference service, which are ready together.</summary>
internal sealed class HealthService(ServerState state, TimeProvider time)
{
    public const string Name = "grpc.health.v1.Health";

    /// <summary>How soon a watcher learns of a change.</summary>
    private static readonly TimeSpan WatchInterval = TimeSpan.FromMilliseconds(500);

    public IReadOnlyList<GrpcMethod> Methods =>
    [
        new UnaryMethod<HealthCheckRequest, HealthCheckResponse>(
            (Name, "Check", ApiGroup.Health), HealthCheckRequest.Parser, (request, _) => ValueTask.FromResult(Check(request))),
        new ServerStreamMethod<HealthCheckRequest, HealthCheckResponse>((Name, "Watch", ApiGroup.Health), HealthCheckRequest.Parser, WatchAsync),
    ];

    private Reply<HealthCheckResponse> Check(HealthCheckRequest request) => IsKnown(request.Service)
        ? new HealthCheckResponse { Status = Current() }
        : InferenceError.NotFound($"unknown service '{request.Service}'");

    /// <summary>Sends the status at once and whenever it changes, until the client leaves or the server drains.</summary>
    private async Task WatchAsync(HealthCheckRequest request, GrpcCall call, Func<HealthCheckResponse, ValueTask> send)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(state.Draining, call.Cancellation);
        using var timer = new PeriodicTimer(WatchInterval, time);
        Serving? sent = null;
        while (true)
        {
            var isDraining = state.Draining.IsCancellationRequested;
            var status = !IsKnown(request.Service) ? Serving.ServiceUnknown : isDraining ? Serving.NotServing : Current();
            if (status != sent)
            {
                await send(new HealthCheckResponse { Status = status });
                sent = status;
            }

            if (isDraining)
            {
                return;
            }

            try
            {
                await timer.WaitForNextTickAsync(either.Token);
            }
            catch (OperationCanceledException) when (!call.Cancellation.IsCancellationRequested)
            {
                // Draining began: the last status follows.
            }
        }
    }

    private static bool IsKnown(string service) => service is "" or InferenceService.Name;

    private Serving Current() => state.IsReady ? Serving.Serving : Serving.NotServing;
}
