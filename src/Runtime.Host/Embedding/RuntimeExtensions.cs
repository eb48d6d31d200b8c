using Microsoft.Extensions.Hosting;

namespace Runtime.Host.Embedding;

/// <summary>Serves models in an ASP.NET Core program of one's own.</summary>
public static class RuntimeExtensions
{
    private static readonly string[] GrpcServices = ["inference.GRPCInferenceService", "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"];

    /// <summary>Adds the models of the repositories and the functions that are bound; they load when the program starts.</summary>
    public static IServiceCollection AddRuntime(this IServiceCollection services, Action<RuntimeBuilder> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        var builder = new RuntimeBuilder();
        configure(builder);
        services.AddSingleton(provider => new EmbeddedRuntime(builder, provider.GetRequiredService<ILoggerFactory>()));
        return services.AddSingleton<IHostedService>(static provider => provider.GetRequiredService<EmbeddedRuntime>());
    }

    /// <summary>Maps the protocol's HTTP paths below <c>/v2</c>, the OpenAPI document, and the gRPC services, which need a listener that speaks HTTP/2; the settings can leave either out.</summary>
    public static IEndpointRouteBuilder MapRuntime(this IEndpointRouteBuilder app)
    {
        ArgumentNullException.ThrowIfNull(app);
        var doors = app.ServiceProvider.GetRequiredService<EmbeddedRuntime>().Doors;
        if (doors.Http is { } http)
        {
            app.Map("/v2/{**path}", http);
            app.Map("/openapi/v1.json", http);
        }

        foreach (var service in doors.Grpc is null ? [] : GrpcServices)
        {
            app.Map($"/{service}/{{method}}", doors.Grpc!);
        }

        return app;
    }
}
