using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Runtime.Backends;
using Runtime.Host.Http;
using Runtime.Host.Lifecycle;
using Runtime.Host.Metrics;
using Runtime.Host.OpenApi;
using Runtime.Host.Settings;
using Runtime.Host.SharedMemory;
using Runtime.Models;
using HostOptions = Runtime.Host.Options.HostOptions;

namespace Runtime.Host.Tests.Http;

/// <summary>The router with everything but inference, over a repository in a directory of its own.</summary>
internal sealed class RouterHarness : IAsyncDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("router-test");
    private readonly SharedMemoryRegions _regions;

    public RouterHarness(bool allowSharedMemory = false, long maxInputSize = 1 << 20, ModelControlMode mode = ModelControlMode.Explicit, params string[] restricted)
    {
        var options = new HostOptions { Id = "test", HttpMaxInputSize = maxInputSize };
        Models = new ModelRepository(new RepositoryOptions { Directories = [_directory.FullName], Mode = mode, Cache = new ResponseCache(1 << 20), Admit = Routes.Claim }, [new IdentityBackend()]);
        Routes.Follow(Models);
        State = new ServerState(true, () => Models.IsReady);
        _regions = new SharedMemoryRegions(allowSharedMemory);
        Router = new HttpRouter(
            new HttpEndpoints(
                new HealthEndpoints(State, Models),
                new MetadataEndpoints(options, Models),
                new ConfigEndpoint(Models),
                new StatisticsEndpoints(Models),
                new RepositoryEndpoints(options, Models),
                new LoggingEndpoint(options, new LogSettings(options)),
                new TraceEndpoint(options, new TraceSettings(), Models),
                new SharedMemoryEndpoints(options, _regions),
                new InferEndpoint(Models, options, _regions, new Admission(options, State)),
                new GenerateEndpoint(Models, options, new Admission(options, State)),
                new OpenApiEndpoint(Models, Routes)),
            Routes,
            RestrictedApi.Parse(restricted));
    }

    public ModelRoutes Routes { get; } = new();

    public ServerState State { get; }

    public ModelRepository Models { get; }

    public HttpRouter Router { get; }

    /// <summary>Puts a model of the identity backend into the directory.</summary>
    public void AddModel(string name, params int[] versions) => AddModel(name, "", versions);

    /// <summary>The same, with more configuration.</summary>
    public void AddModel(string name, string config, params int[] versions)
    {
        var model = _directory.CreateSubdirectory(name);
        File.WriteAllText(
            Path.Combine(model.FullName, "config.pbtxt"),
            """
            backend: "identity"
            max_batch_size: 8
            version_policy { all {} }
            input { name: "INPUT0" data_type: TYPE_STRING dims: [ 4, -1 ] }
            output { name: "OUTPUT0" data_type: TYPE_STRING dims: [ 4, -1 ] }
            """ + config);
        foreach (var version in versions)
        {
            model.CreateSubdirectory(version.ToString(System.Globalization.CultureInfo.InvariantCulture));
        }
    }

    /// <summary>A model of one version with nothing but the given configuration.</summary>
    public void AddBareModel(string name, string config, string schema = "")
    {
        var model = _directory.CreateSubdirectory(name);
        model.CreateSubdirectory("1");
        File.WriteAllText(Path.Combine(model.FullName, "config.pbtxt"), "backend: 'identity' " + config);
        if (schema.Length > 0)
        {
            File.WriteAllText(Path.Combine(model.FullName, "input_schema.json"), schema);
        }
    }

    public Task<Answer> SendAsync(string method, string target, string body = "", params (string Name, string Value)[] headers)
        => SendAsync(Router.HandleAsync, method, target, body, headers);

    public Task<Answer> MetricsAsync(string method = "GET", string target = "/metrics") => SendAsync(new PrometheusEndpoint(Models).HandleAsync, method, target, "", []);

    public async ValueTask DisposeAsync()
    {
        await Models.DisposeAsync();
        _regions.Dispose();
        State.Dispose();
        _directory.Delete(recursive: true);
    }

    private static async Task<Answer> SendAsync(RequestDelegate handler, string method, string target, string body, (string Name, string Value)[] headers)
    {
        var context = new DefaultHttpContext();
        context.Request.Method = method;
        context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget = target;
        context.Request.Body = new MemoryStream(Encoding.UTF8.GetBytes(body));
        foreach (var (name, value) in headers)
        {
            context.Request.Headers[name] = value;
        }

        var answer = new MemoryStream();
        context.Response.Body = answer;
        await handler(context);
        return new Answer(context.Response.StatusCode, Encoding.UTF8.GetString(answer.ToArray()), context.Response.Headers.Allow.ToString());
    }
}

internal sealed record Answer(int Status, string Body, string Allow)
{
    public JsonElement Json => JsonDocument.Parse(Body).RootElement;

    public string Error => Json.GetProperty("error").GetString()!;
}
