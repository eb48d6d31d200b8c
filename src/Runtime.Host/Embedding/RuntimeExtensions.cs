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

    /// <summary>Maps the protocol's HTTP paths below <c>/v2</c>, the OpenAPI document, and the gRPC services, which need a listener that speaks HTTP/2.</summary>
    public static IEndpointRouteBuilder MapRuntime(this IEndpointRouteBuilder app)
    {
        ArgumentNullException.ThrowIfNull(app);
        var doors = app.ServiceProvider.GetRequiredService<EmbeddedRuntime>().Doors;
        app.Map("/v2/{**path}", doors.Http);
        app.Map("/openapi/v1.json", doors.Http);
        foreach (var service in GrpcServices)
        {
            app.Map($"/{service}/{{method}}", doors.Grpc);
        }

        return app;
    }
}
