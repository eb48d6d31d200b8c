using System.Diagnostics;

namespace Runtime.Host.NvcfTest.Checks;

/// <summary>What a function must do before it gets its first request.</summary>
internal static class StartChecks
{
    private static readonly int[] ReservedPorts = [8080, 8010];

    public static readonly IReadOnlyList<FunctionCheck> All =
    [
        new("ports", Level.Required, "Listens on neither 8080 nor 8010: the platform's own processes have these ports in the container.", PortsAsync),
        new("health", Level.Required, "Becomes healthy: 200 at the health path on the inference port, or gRPC's standard health service there. Without it the function gets no requests.", HealthAsync) { IsGate = true },
        new("grpc-health", Level.Required, "Answers grpc.health.v1.Health/Check with SERVING on the gRPC port: the only health that a gRPC function has.", GrpcHealthAsync)
        {
            Inapplicable = settings => settings.GrpcUrl is null ? "no --grpc-url" : null,
        },
        new("invoke", Level.Required, "Answers a request that has all of the platform's headers, at the path that the caller gave.", InvokeAsync)
        {
            IsGate = true,
            Inapplicable = CheckTable.WithoutHttp,
        },
    ];

    private static Task<Finding> PortsAsync(SimulatedPlatform platform, CancellationToken cancellation)
    {
        var settings = platform.Settings;
        int[] ports = [.. settings.Inference is null ? [] : new[] { settings.Url.Port }, .. settings.GrpcUrl is { } grpc ? [grpc.Port] : Array.Empty<int>()];
        var reserved = ports.Intersect(ReservedPorts).ToArray();
        return Task.FromResult(reserved.Length == 0 ? Finding.Pass(string.Join(" and ", ports)) : Finding.Fail($"{string.Join(" and ", reserved)} is reserved"));
    }

    private static async Task<Finding> HealthAsync(SimulatedPlatform platform, CancellationToken cancellation)
    {
        var start = Stopwatch.GetTimestamp();
        var fault = await platform.Health.WaitAsync(platform.Process, cancellation);
        return fault is null ? Finding.Pass($"healthy after {Stopwatch.GetElapsedTime(start).TotalSeconds:F1} s") : Finding.Fail(fault);
    }

    private static async Task<Finding> GrpcHealthAsync(SimulatedPlatform platform, CancellationToken cancellation)
        => await platform.Health.AskGrpcAsync(cancellation) is { } fault ? Finding.Fail(fault) : Finding.Pass("SERVING");

    private static async Task<Finding> InvokeAsync(SimulatedPlatform platform, CancellationToken cancellation)
        => CheckTable.Good(await platform.InvokeAsync(platform.Plain, cancellation));
}
