using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Runtime.Backends;
using Runtime.Functions;
using Runtime.Host.Http;
using Runtime.Host.Lifecycle;
using Runtime.Host.Logging;
using Runtime.Host.Settings;
using Runtime.Host.Telemetry;
using Runtime.Host.Tests.Concurrency;
using Runtime.Host.Tests.Grpc;
using Runtime.Host.Tests.Lifecycle;
using Runtime.Host.Tests.Nvcf;
using Runtime.Models;
using HostOptions = Runtime.Host.Options.HostOptions;

namespace Runtime.Host.Tests.Telemetry;

/// <summary>
/// The doors with everything that watches them: <c>numbers</c> (INT32) repeats its input, <c>gated</c> waits for the test, <c>pipeline</c>
/// is numbers twice, <c>repeat</c> is decoupled, <c>caller</c> is a function that logs a line and asks numbers, <c>own</c> has a path of its own.
/// </summary>
internal sealed class ObservedHost : IAsyncDisposable
{
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("observed");
    private readonly Channel<string> _log = Channel.CreateUnbounded<string>();
    private readonly ModelRepository _models;
    private readonly LogOutput _output;
    private readonly LoggerFactory _loggers;
    private readonly TelemetryExport _telemetry;
    private readonly OpenDoors _doors;

    static ObservedHost()
    {
        // The SDK reads these itself; its own delays are seconds.
        Environment.SetEnvironmentVariable("OTEL_BSP_SCHEDULE_DELAY", "5");
        Environment.SetEnvironmentVariable("OTEL_BLRP_SCHEDULE_DELAY", "5");
        Environment.SetEnvironmentVariable("OTEL_METRIC_EXPORT_INTERVAL", "50");
    }

    private ObservedHost(HostOptions options, Dictionary<string, string> environment)
    {
        NvcfHost.WriteModel(Path.Combine(_root.FullName, "numbers"), NvcfHost.Repeats("identity", "TYPE_INT32"));
        NvcfHost.WriteModel(Path.Combine(_root.FullName, "gated"), NvcfHost.Repeats("gated", "TYPE_INT32"));
        NvcfHost.WriteModel(Path.Combine(_root.FullName, "own"), NvcfHost.Repeats("identity", "TYPE_INT32", "parameters { key: 'route' value { string_value: '/predict' } }"));
        NvcfHost.WriteModel(Path.Combine(_root.FullName, "pipeline"), NvcfHost.Repeats("", "TYPE_INT32", """
            platform: 'ensemble' ensemble_scheduling {
              step { model_name: 'numbers' input_map { key: 'X' value: 'X' } output_map { key: 'Y' value: 'half' } }
              step { model_name: 'numbers' input_map { key: 'X' value: 'half' } output_map { key: 'Y' value: 'Y' } } }
            """).Replace("backend: ''", "", StringComparison.Ordinal));
        NvcfHost.WriteModel(Path.Combine(_root.FullName, "repeat"), """
            backend: "repeat" model_transaction_policy { decoupled: true }
            input [ { name: "IN" data_type: TYPE_INT32 dims: [ -1 ] }, { name: "DELAY" data_type: TYPE_UINT32 dims: [ -1 ] }, { name: "WAIT" data_type: TYPE_UINT32 dims: [ 1 ] } ]
            output [ { name: "OUT" data_type: TYPE_INT32 dims: [ 1 ] }, { name: "IDX" data_type: TYPE_UINT32 dims: [ 1 ] } ]
            """);
        var log = new LogSettings(options);
        _output = new LogOutput(new Lines(_log.Writer));
        _telemetry = TelemetryExport.Start(environment, options);
        _loggers = LogProvider.CreateFactory(log, _output, _telemetry.Warnings, _telemetry.Logs);
        var routes = new ModelRoutes();
        var functions = new BoundFunctions([Caller], new FunctionServices { Models = () => _models, Loggers = _loggers });
        _models = new ModelRepository(
            new RepositoryOptions { Directories = [_root.FullName], Mode = ModelControlMode.None, Admit = routes.Claim }, [new IdentityBackend(), new RepeatBackend(), Gate, functions]);
        routes.Follow(_models);
        var admission = new Admission(options, new ServerState(true, () => _models.IsReady));
        _telemetry.Observe(_models, admission, _loggers);
        _doors = new OpenDoors(options, new HostedModels(_models, routes), admission, log, _loggers);
    }

    public GatedBackend Gate { get; } = new();

    public InferenceServer Server => _doors.Server;

    public GrpcClient Grpc => _doors.Grpc;

    private static FunctionModel Caller => FunctionModel.Bind(
        "caller", [new FunctionTensor("X", Tensors.DataType.Int32, -1)], [], async (inputs, request) =>
        {
            request.Context.Logger.LogWarning("asking");
            using var answer = await request.Context.Models.InferAsync("numbers", new Outputs { ["X"] = new[] { 7 } });
            return new Outputs { ["trace"] = System.Diagnostics.Activity.Current?.TraceId.ToHexString() ?? "none" };
        });

    public static async Task<ObservedHost> StartAsync(Func<HostOptions, HostOptions>? configure = null, params (string Name, string Value)[] environment)
    {
        var options = ServerUnderTest.FreePorts with { LogRequests = true, LogFormat = "json", LogInfo = false };
        var host = new ObservedHost(configure?.Invoke(options) ?? options, environment.ToDictionary(pair => pair.Name, pair => pair.Value));
        await host._doors.OpenAsync();
        Assert.Null(await host._models.AddAsync(Caller.Config, default));
        return host;
    }

    public static string Body(int value, string id = "a1") => $$"""{"id":"{{id}}","inputs":[{"name":"X","shape":[1],"datatype":"INT32","data":[{{value}}]}]}""";

    public async Task<(int Status, string Body)> PostAsync(string target, string body, CancellationToken leaving, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"http://{Server.HttpAddress}{target}") { Content = new StringContent(body, new MediaTypeHeaderValue("application/json")) };
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        using var response = await _doors.Http.SendAsync(request, leaving);
        return ((int)response.StatusCode, await response.Content.ReadAsStringAsync(leaving));
    }

    public Task<(int Status, string Body)> PostAsync(string target, string body, params (string Name, string Value)[] headers) => PostAsync(target, body, default, headers);

    /// <summary>The next line of the log.</summary>
    public async Task<string> LineAsync() => await _log.Reader.ReadAsync();

    /// <summary>The next line about a request.</summary>
    public async Task<JsonElement> RequestAsync()
    {
        while (true)
        {
            var line = JsonDocument.Parse(await LineAsync()).RootElement;
            if (line.GetProperty("category").GetString() == "Requests")
            {
                return line;
            }
        }
    }

    /// <summary>Lets in no more.</summary>
    public void Drain() => _doors.Drain();

    public async ValueTask DisposeAsync()
    {
        await _doors.DisposeAsync();
        await _telemetry.DisposeAsync();
        _loggers.Dispose();
        await _output.DisposeAsync();
        _root.Delete(recursive: true);
    }

    /// <summary>Hands on what is written, line by line; no line comes in two pieces.</summary>
    private sealed class Lines(ChannelWriter<string> lines) : MemoryStream
    {
        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            foreach (var line in Encoding.UTF8.GetString(buffer.Span).Split('\n', StringSplitOptions.RemoveEmptyEntries))
            {
                lines.TryWrite(line);
            }

            return ValueTask.CompletedTask;
        }
    }
}
