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

    /// <summary>Whether the route takes a request to a model.</summary>
    public static bool IsInference(this Route route) => route is Route.Infer or Route.Generate or Route.GenerateStream or Route.Own;

    /// <summary>What logs call the use of an inference route.</summary>
    public static string MethodName(this Route route) => route switch
    {
        Route.Infer => "infer",
        Route.Generate => "generate",
        Route.GenerateStream => "generate_stream",
        _ => "route",
    };

    /// <summary>The path of the protocol's inference routes, with what varies in braces.</summary>
    public static string Pattern(this Route route, bool hasVersion) => (route, hasVersion) switch
    {
        (Route.Infer, false) => "/v2/models/{model}/infer",
        (Route.Infer, true) => "/v2/models/{model}/versions/{version}/infer",
        (Route.Generate, false) => "/v2/models/{model}/generate",
        (Route.Generate, true) => "/v2/models/{model}/versions/{version}/generate",
        (_, false) => "/v2/models/{model}/generate_stream",
        _ => "/v2/models/{model}/versions/{version}/generate_stream",
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
