using System.Globalization;
using Microsoft.AspNetCore.Http.Features;
using Runtime.Host.OpenApi;
using Runtime.Host.Telemetry;

namespace Runtime.Host.Http;

/// <summary>Everything that the HTTP port serves.</summary>
internal sealed record HttpEndpoints(
    HealthEndpoints Health,
    MetadataEndpoints Metadata,
    ConfigEndpoint Config,
    StatisticsEndpoints Statistics,
    RepositoryEndpoints Repository,
    LoggingEndpoint Logging,
    TraceEndpoint Trace,
    SharedMemoryEndpoints SharedMemory,
    InferEndpoint Infer,
    GenerateEndpoint Generate,
    OpenApiEndpoint OpenApi);

/// <summary>The HTTP port's only handler: route, restriction, method, endpoint. Inference costs it the strings of model and version.</summary>
internal sealed class HttpRouter(HttpEndpoints endpoints, ModelRoutes routes, RestrictedApi restricted, RequestObserver? observer = null)
{
    private readonly RequestObserver _observer = observer ?? RequestObserver.None;

    public Task HandleAsync(HttpContext context)
    {
        var match = Match(context);
        return _observer.IsActive && match.Route.IsInference() ? ObserveAsync(context) : AnswerAsync(context, match, null);
    }

    private RouteMatch Match(HttpContext context)
    {
        var path = RoutePatterns.PathOf(context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget);
        var match = RoutePatterns.Match(path);
        if (match.Route == Route.None && routes.Find(path) is { } own)
        {
            match = new RouteMatch { Route = own.IsHealth ? Route.OwnHealth : Route.Own, Name = own.Model, Own = own };
        }

        return match;
    }

    /// <summary>Apart from the handler, whose path through memory it would lengthen.</summary>
    private async Task ObserveAsync(HttpContext context)
    {
        var record = Begin(context, Match(context));
        context.Features.Set(record);
        try
        {
            await AnswerAsync(context, Match(context), record);
        }
        catch (Exception exception)
        {
            HttpRecord.Fail(record, context, exception);
            throw;
        }
        finally
        {
            HttpRecord.Complete(record, context.Response);
            _observer.End(record);
        }
    }

    private static RequestRecord Begin(HttpContext context, RouteMatch match)
    {
        var route = match.Own is null
            ? match.Route.Pattern(!match.Version.IsEmpty)
            : RoutePatterns.PathOf(context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget).ToString();
        var record = RequestObserver.BeginHttp(context, match.Route.MethodName(), route);
        record.Name("", match.Name.ToString(), match.Version.ToString());
        return record;
    }

    private Task AnswerAsync(HttpContext context, RouteMatch match, RequestRecord? record)
    {
        if (match.Route == Route.None)
        {
            return HttpErrors.WriteAsync(context, StatusCodes.Status404NotFound, "Not Found");
        }

        if (restricted.IsRestricted(match.Route.Group()) && !IsAllowed(context, match.Route.Group(), out var expected))
        {
            return HttpErrors.WriteAsync(context, StatusCodes.Status403Forbidden, $"This API is restricted, expecting header '{expected}'");
        }

        if (!match.Route.Takes(context.Request.Method))
        {
            context.Response.Headers.Allow = match.Route.Methods();
            return HttpErrors.WriteAsync(context, StatusCodes.Status405MethodNotAllowed, "Method Not Allowed");
        }

        if (!match.Version.IsEmpty && !long.TryParse(match.Version, NumberStyles.None, CultureInfo.InvariantCulture, out _))
        {
            return HttpErrors.WriteAsync(context, StatusCodes.Status400BadRequest,
                $"failed to get model version from specified version string '{match.Version}' (details: stol), version should be an integral value > 0");
        }

        return DispatchAsync(context, match, record);
    }

    private Task DispatchAsync(HttpContext context, RouteMatch match, RequestRecord? record)
    {
        var name = match.Name.ToString();
        var version = Canonical(match.Version).ToString();
        return match.Route switch
        {
            Route.Infer => endpoints.Infer.HandleAsync(context, name, version, record),
            Route.Generate => endpoints.Generate.HandleAsync(context, name, version, GenerateForm.Single, record),
            Route.GenerateStream => endpoints.Generate.HandleAsync(context, name, version, GenerateForm.Streaming, record),
            Route.Own => endpoints.Generate.HandleAsync(context, name, version, GenerateForm.Of(match.Own!), record),
            Route.OwnHealth => endpoints.Health.OwnAsync(context, name),
            Route.Index => endpoints.Repository.IndexAsync(context),
            Route.Load => endpoints.Repository.LoadAsync(context, match.Repository.ToString(), name),
            Route.Unload => endpoints.Repository.UnloadAsync(context, match.Repository.ToString(), name),
            _ => EndpointAsync(context, match.Route, name, version),
        };
    }

    private Task EndpointAsync(HttpContext context, Route route, string name, string version)
    {
        var isGet = HttpMethods.IsGet(context.Request.Method);
        return route switch
        {
            Route.Live => endpoints.Health.LiveAsync(context),
            Route.Ready => endpoints.Health.ReadyAsync(context),
            Route.ModelReady => endpoints.Health.ModelReadyAsync(context, name, version),
            Route.OpenApi => endpoints.OpenApi.HandleAsync(context),
            Route.Server => endpoints.Metadata.ServerAsync(context),
            Route.Model => endpoints.Metadata.ModelAsync(context, name, version),
            Route.Config => endpoints.Config.HandleAsync(context, name, version),
            Route.Statistics or Route.ModelStatistics => endpoints.Statistics.HandleAsync(context, name, version),
            Route.Logging => isGet ? endpoints.Logging.GetAsync(context) : endpoints.Logging.UpdateAsync(context),
            Route.Trace or Route.ModelTrace => isGet ? endpoints.Trace.GetAsync(context, name) : endpoints.Trace.UpdateAsync(context, name),
            Route.SystemMemoryStatus => endpoints.SharedMemory.StatusAsync(context, name),
            Route.SystemMemoryRegister => endpoints.SharedMemory.RegisterAsync(context, name),
            Route.SystemMemoryUnregister => endpoints.SharedMemory.UnregisterAsync(context, name),
            Route.CudaMemoryStatus => endpoints.SharedMemory.CudaStatusAsync(context, name),
            Route.CudaMemoryRegister => endpoints.SharedMemory.CudaRegisterAsync(context, name),
            Route.CudaMemoryUnregister => endpoints.SharedMemory.CudaUnregisterAsync(context, name),
            _ => throw new ArgumentOutOfRangeException(nameof(route), route, "no endpoint"),
        };
    }

    /// <summary>Without leading zeros: 01 is 1.</summary>
    private static ReadOnlySpan<char> Canonical(ReadOnlySpan<char> version)
    {
        var digits = version.TrimStart('0');
        return digits.IsEmpty && !version.IsEmpty ? "0" : digits;
    }

    /// <summary>Apart from the handler, where its closure would be allocated for every request.</summary>
    private bool IsAllowed(HttpContext context, ApiGroup group, out string expectedHeader)
        => restricted.IsAllowed(group, name => context.Request.Headers.TryGetValue(name, out var values) ? values.ToString() : null, out expectedHeader);
}
