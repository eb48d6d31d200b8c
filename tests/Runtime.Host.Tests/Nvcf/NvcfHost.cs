using System.Net.Http.Headers;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Runtime.Backends;
using Runtime.Host.Http;
using Runtime.Host.Lifecycle;
using Runtime.Host.Settings;
using Runtime.Host.Tests.Concurrency;
using Runtime.Host.Tests.Grpc;
using Runtime.Host.Tests.Lifecycle;
using Runtime.Models;
using Runtime.Protocol;
using HostOptions = Runtime.Host.Options.HostOptions;

namespace Runtime.Host.Tests.Nvcf;

/// <summary>
/// A function on real ports with real directories, and the platform's part around it: <c>text</c> (BYTES) and <c>numbers</c>
/// (INT32) repeat their input, <c>described</c> is numbers with a schema, <c>filed</c> is text whose large responses are files, <c>gated</c> waits for the test,
/// <c>pipeline</c> is numbers and then gated, <c>repeat</c> is decoupled, <c>function</c> does what the test says.
/// </summary>
internal sealed class NvcfHost : IAsyncDisposable
{
    public const string RequestId = "4cbd0f6e-0001-4000-8000-000000000001";

    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("nvcf");
    private readonly OpenDoors _doors;

    private NvcfHost(Func<HostOptions, HostOptions> configure)
    {
        Output = Path.Combine(_root.FullName, "response", RequestId);
        Assets = Path.Combine(_root.FullName, "inputAssets", RequestId);
        Directory.CreateDirectory(Output);
        Directory.CreateDirectory(Assets);
        WriteModels();
        var options = configure(ServerUnderTest.FreePorts with { Nvcf = "true", NvcfConfigRoot = Path.Combine(_root.FullName, "config"), ModelRepository = [Path.Combine(_root.FullName, "models")] });
        var models = new ModelRepository(HostedModels.Options(options), [new IdentityBackend(), new RepeatBackend(), Gate, Function]);
        var admission = new Admission(options, new ServerState(true, () => models.IsReady));
        _doors = new OpenDoors(options, new HostedModels(models, new ModelRoutes()), admission, new LogSettings(options), NullLoggerFactory.Instance);
    }

    public GatedBackend Gate { get; } = new();

    public FunctionBackend Function { get; } = new();

    public InferenceServer Server => _doors.Server;

    public GrpcClient Grpc => _doors.Grpc;

    public string Root => _root.FullName;

    /// <summary>The request's output directory, as the platform made it.</summary>
    public string Output { get; }

    /// <summary>The request's asset directory.</summary>
    public string Assets { get; }

    public static async Task<NvcfHost> StartAsync(Func<HostOptions, HostOptions>? configure = null)
    {
        var host = new NvcfHost(configure ?? (options => options));
        await host._doors.OpenAsync();
        return host;
    }

    /// <summary>The headers that the platform sends, in the given spelling.</summary>
    public (string Name, string Value)[] Headers(string assetIds = "", int maxResponseSize = 1000) =>
    [
        ("NVCF-REQID", RequestId), ("NVCF-LARGE-OUTPUT-DIR", Output), ("nvcf-asset-dir", Assets), ("Nvcf-Max-Response-Size-Bytes", $"{maxResponseSize}"),
        .. assetIds.Length > 0 ? [("NVCF-FUNCTION-ASSET-IDS", assetIds)] : Array.Empty<(string, string)>(),
    ];

    /// <summary>Puts an asset down.</summary>
    public void AddAsset(string id, byte[] content) => File.WriteAllBytes(Path.Combine(Assets, id), content);

    /// <summary>What the platform would send along: the output directory's files by their relative path, but for the progress.</summary>
    public string[] Scan() => [.. Directory.EnumerateFiles(Output, "*", SearchOption.AllDirectories).Where(path => Path.GetFileName(path) != "progress").Select(path => Path.GetRelativePath(Output, path)).Order(StringComparer.Ordinal)];

    /// <summary>Sends a request as the platform does, and scans the directory at the moment when the response's headers are there.</summary>
    public async Task<NvcfAnswer> PostAsync(string target, string body, (string Name, string Value)[] headers, CancellationToken leaving = default)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"http://{Server.HttpAddress}{target}") { Content = new StringContent(body, new MediaTypeHeaderValue("application/json")) };
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        using var response = await _doors.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, leaving);
        var seen = Directory.Exists(Output) ? Directory.GetFileSystemEntries(Output, "*", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(Output, path)).Order(StringComparer.Ordinal).ToArray() : [];
        return new NvcfAnswer((int)response.StatusCode, await response.Content.ReadAsByteArrayAsync(leaving), response.Content.Headers, seen);
    }

    /// <summary>A ModelInfer with the platform's metadata.</summary>
    public Task<GrpcAnswer> CallAsync(ModelInferRequest request, params (string Name, string Value)[] headers)
        => Grpc.CallAsync(GrpcClient.Inference + "ModelInfer", request, headers);

    /// <summary>The files below a directory that this process holds open.</summary>
    public static string[] OpenBelow(string directory) =>
        [.. Directory.GetFileSystemEntries("/proc/self/fd").Select(link => new FileInfo(link).LinkTarget ?? "").Where(target => target.StartsWith(directory, StringComparison.Ordinal))];

    public async ValueTask DisposeAsync()
    {
        await _doors.DisposeAsync();
        _root.Delete(recursive: true);
    }

    /// <summary>Writes a model's configuration, and a version directory beside it.</summary>
    public static void WriteModel(string directory, string config)
    {
        Directory.CreateDirectory(Path.Combine(directory, "1"));
        File.WriteAllText(Path.Combine(directory, "config.pbtxt"), config);
    }

    public static string Repeats(string backend, string type, string more = "") =>
        $"backend: '{backend}' input {{ name: 'X' data_type: {type} dims: [ -1 ] }} output {{ name: 'Y' data_type: {type} dims: [ -1 ] }} {more}";

    private void WriteModels()
    {
        var models = Path.Combine(_root.FullName, "models");
        WriteModel(Path.Combine(models, "text"), Repeats("identity", "TYPE_STRING"));
        WriteModel(Path.Combine(models, "filed"), Repeats("identity", "TYPE_STRING", "parameters { key: 'large_response' value { string_value: 'file' } }"));
        WriteModel(Path.Combine(models, "numbers"), Repeats("identity", "TYPE_INT32"));
        WriteModel(Path.Combine(models, "described"), Repeats("identity", "TYPE_INT32"));
        File.WriteAllText(Path.Combine(models, "described", "input_schema.json"), """{"INPUT_SCHEMA": {"X": {"datatype": "INT32", "shape": [2], "required": true}}}""");
        WriteModel(Path.Combine(models, "function"), Repeats("function", "TYPE_INT32"));
        WriteModel(Path.Combine(models, "gated"), Repeats("gated", "TYPE_INT32"));
        WriteModel(Path.Combine(models, "pipeline"), Repeats("", "TYPE_INT32", """
            platform: 'ensemble' ensemble_scheduling {
              step { model_name: 'numbers' input_map { key: 'X' value: 'X' } output_map { key: 'Y' value: 'half' } }
              step { model_name: 'gated' input_map { key: 'X' value: 'half' } output_map { key: 'Y' value: 'Y' } } }
            """).Replace("backend: ''", "", StringComparison.Ordinal));
        WriteModel(Path.Combine(models, "repeat"), """
            backend: "repeat" model_transaction_policy { decoupled: true }
            input [ { name: "IN" data_type: TYPE_INT32 dims: [ -1 ] }, { name: "DELAY" data_type: TYPE_UINT32 dims: [ -1 ] }, { name: "WAIT" data_type: TYPE_UINT32 dims: [ 1 ] } ]
            output [ { name: "OUT" data_type: TYPE_INT32 dims: [ 1 ] }, { name: "IDX" data_type: TYPE_UINT32 dims: [ 1 ] } ]
            """);
    }
}

/// <summary>A response, and what lay in the output directory when its headers arrived.</summary>
internal sealed record NvcfAnswer(int Status, byte[] Body, HttpContentHeaders Headers, string[] Seen)
{
    public string Text => Encoding.UTF8.GetString(Body);

    public System.Text.Json.JsonElement Json => System.Text.Json.JsonDocument.Parse(Body).RootElement;

    public string Error => Json.GetProperty("error").GetString()!;
}
