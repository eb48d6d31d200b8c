namespace Runtime.Host.Http;

/// <summary>What the HTTP port serves.</summary>
internal enum Route
{
    None,
    Live,
    Ready,
    ModelReady,
    Server,
    Model,
    Config,
    Infer,
    Generate,
    GenerateStream,

    /// <summary>A path that a model claims.</summary>
    Own,
    OwnHealth,
    OpenApi,
    Statistics,
    ModelStatistics,
    Index,
    Load,
    Unload,
    Logging,
    Trace,
    ModelTrace,
    SystemMemoryStatus,
    SystemMemoryRegister,
    SystemMemoryUnregister,
    CudaMemoryStatus,
    CudaMemoryRegister,
    CudaMemoryUnregister,
}

/// <summary>A route with what its path names; spans of the request's target.</summary>
internal readonly ref struct RouteMatch
{
    public Route Route { get; init; }

    /// <summary>What a model's own path is for; null for the protocol's paths.</summary>
    public ModelRoute? Own { get; init; }

    /// <summary>The model or the shared memory region; empty for none.</summary>
    public ReadOnlySpan<char> Name { get; init; }

    /// <summary>Digits; empty for none.</summary>
    public ReadOnlySpan<char> Version { get; init; }

    /// <summary>Empty for none.</summary>
    public ReadOnlySpan<char> Repository { get; init; }
}

internal static class Routes
{
    /// <summary>The part of the protocol that the route belongs to.</summary>
    public static ApiGroup Group(this Route route) => route switch
    {
        Route.Live or Route.Ready or Route.ModelReady or Route.OwnHealth => ApiGroup.Health,
        Route.Server or Route.Model or Route.OpenApi => ApiGroup.Metadata,
        Route.Config => ApiGroup.ModelConfig,
        Route.Statistics or Route.ModelStatistics => ApiGroup.Statistics,
        Route.Index or Route.Load or Route.Unload => ApiGroup.ModelRepository,
        Route.Logging => ApiGroup.Logging,
        Route.Trace or Route.ModelTrace => ApiGroup.Trace,
        >= Route.SystemMemoryStatus => ApiGroup.SharedMemory,
        _ => ApiGroup.Inference,
    };

    /// <summary>The methods that the route takes, as the header <c>Allow</c> lists them.</summary>
    public static string Methods(this Route route) => route switch
    {
        Route.Logging or Route.Trace or Route.ModelTrace => "GET, POST",
        Route.Infer or Route.Generate or Route.GenerateStream or Route.Own or Route.Index or Route.Load or Route.Unload => "POST",
        Route.SystemMemoryRegister or Route.SystemMemoryUnregister or Route.CudaMemoryRegister or Route.CudaMemoryUnregister => "POST",
        _ => "GET",
    };

    public static bool Takes(this Route route, string method) => route.Methods() switch
    {
        "GET" => HttpMethods.IsGet(method),
        "POST" => HttpMethods.IsPost(method),
        _ => HttpMethods.IsGet(method) || HttpMethods.IsPost(method),
    };
}
