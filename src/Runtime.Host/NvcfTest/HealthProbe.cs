using System.Net;

namespace Runtime.Host.NvcfTest;

/// <summary>Asks a function's health as the platform does: over HTTP on the inference port, or by gRPC's standard service.</summary>
internal sealed class HealthProbe(TestSettings settings, HttpClient http)
{
    private static readonly TimeSpan MostPerProbe = TimeSpan.FromSeconds(31);
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200);
    private static readonly byte[] EmptyFrame = new byte[5];
    private static readonly byte[] ServingFrame = [0, 0, 0, 0, 2, 8, 1];

    /// <summary>Why the function is not healthy; null when it is.</summary>
    public Task<string?> AskAsync(CancellationToken cancellation) => settings.Inference is null ? AskGrpcAsync(cancellation) : AskHttpAsync(cancellation);

    /// <summary>Asks until the function is healthy or the limit is over or it has ended; null when it is healthy.</summary>
    public async Task<string?> WaitAsync(FunctionProcess? process, CancellationToken cancellation)
    {
        using var limit = new CancellationTokenSource(settings.HealthTimeout);
        while (true)
        {
            var fault = await AskAsync(cancellation);
            if (fault is null)
            {
                return null;
            }

            if (process is { HasExited: true })
            {
                return $"the process ended with {process.ExitCode}: {process.LastLines}";
            }

            if (limit.IsCancellationRequested)
            {
                return $"not healthy within {settings.HealthTimeout.TotalSeconds} seconds; at last: {fault}";
            }

            await Task.Delay(Interval, cancellation);
        }
    }

    public Task<string?> AskGrpcAsync(CancellationToken cancellation) => ProbeAsync(CheckGrpcAsync, cancellation);

    private Task<string?> AskHttpAsync(CancellationToken cancellation) => ProbeAsync(CheckHttpAsync, cancellation);

    private static async Task<string?> ProbeAsync(Func<CancellationToken, Task<string?>> probe, CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(MostPerProbe);
        try
        {
            return await probe(limit.Token);
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException)
        {
            return exception.Message;
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return $"no answer within {MostPerProbe.TotalSeconds} seconds";
        }
    }

    private async Task<string?> CheckHttpAsync(CancellationToken cancellation)
    {
        using var response = await http.GetAsync(new Uri(settings.Url, settings.Health), cancellation);
        return response.StatusCode == HttpStatusCode.OK ? null : $"{settings.Health} answers {(int)response.StatusCode}";
    }

    private async Task<string?> CheckGrpcAsync(CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(settings.GrpcUrl!, "/grpc.health.v1.Health/Check"))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent(EmptyFrame),
        };
        request.Content.Headers.TryAddWithoutValidation("Content-Type", "application/grpc");
        request.Headers.TE.ParseAdd("trailers");
        using var response = await http.SendAsync(request, cancellation);
        var body = await response.Content.ReadAsByteArrayAsync(cancellation);
        var status = response.TrailingHeaders.TryGetValues("grpc-status", out var trailers) || response.Headers.TryGetValues("grpc-status", out trailers) ? trailers.First() : "";
        return status != "0" ? $"Check ends with HTTP status {(int)response.StatusCode} and gRPC status '{status}'"
            : body.AsSpan().SequenceEqual(ServingFrame) ? null
            : "Check does not answer SERVING";
    }
}
