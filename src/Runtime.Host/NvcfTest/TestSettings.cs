using System.Globalization;
using Runtime.Host.Lifecycle;
using Runtime.Host.Options;

namespace Runtime.Host.NvcfTest;

/// <summary>Which function is tested and how it is to be asked.</summary>
internal sealed record TestSettings
{
    public Uri Url { get; init; } = new("http://127.0.0.1:8000");

    /// <summary>Where gRPC is served; null where it is not tested.</summary>
    public Uri? GrpcUrl { get; init; }

    public string Health { get; init; } = "/v2/health/ready";

    /// <summary>The path that answers requests; null for a function of gRPC only.</summary>
    public string? Inference { get; init; }

    /// <summary>The path that streams; the inference path unless given.</summary>
    public string? Stream { get; init; }

    public byte[] Body { get; init; } = [];

    public byte[]? StreamBody { get; init; }

    /// <summary>A request that takes longer than the poll limit.</summary>
    public byte[]? SlowBody { get; init; }

    /// <summary>A request that takes an asset where the text <see cref="AssetPlaceholder"/> stands.</summary>
    public byte[]? AssetBody { get; init; }

    /// <summary>The asset's content.</summary>
    public byte[]? Asset { get; init; }

    public TimeSpan HealthTimeout { get; init; } = TimeSpan.FromSeconds(600);

    /// <summary>What any single request may take.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How long a client waits for an answer before it is told 202 and asks again.</summary>
    public TimeSpan PollLimit { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>The function's maxRequestConcurrency.</summary>
    public int Concurrency { get; init; } = 4;

    /// <summary>The bytes of a body that is too large.</summary>
    public long OversizedBody { get; init; } = (64L << 20) + 1;

    /// <summary>Where the requests' directories are made; a temporary one unless given.</summary>
    public string? Directory { get; init; }

    /// <summary>What the function calls that directory.</summary>
    public string? ContainerDirectory { get; init; }

    /// <summary>What the function has as /config, which it must not write to; null where that is not looked at.</summary>
    public string? ConfigDirectory { get; init; }

    /// <summary>What starts the function; null where it runs already.</summary>
    public string? Command { get; init; }

    /// <summary>Whether the report is JSON.</summary>
    public bool IsJson { get; init; }

    public const string AssetPlaceholder = "ASSET_ID";

    public static readonly IReadOnlyList<string> Flags =
    [
        "url", "grpc-url", "health", "inference", "stream", "body", "stream-body", "slow-body", "asset-body", "asset", "health-timeout", "timeout",
        "poll-seconds", "concurrency", "oversized-body", "directory", "container-directory", "config-directory", "command", "json",
    ];

    /// <exception cref="StartException">An argument is unknown or its value no good.</exception>
    public static TestSettings Parse(IReadOnlyList<string> args)
    {
        var settings = new TestSettings();
        var rest = new Queue<string>(args);
        while (rest.TryDequeue(out var argument))
        {
            var equals = argument.IndexOf('=', StringComparison.Ordinal);
            var flag = equals < 0 ? argument : argument[..equals];
            if (!flag.StartsWith("--", StringComparison.Ordinal) || !Flags.Contains(flag[2..]))
            {
                throw new StartException($"nvcf-test: unknown argument '{flag}'{Spelling.Suggest(flag, Flags.Select(known => "--" + known))}");
            }

            var value = equals >= 0 ? argument[(equals + 1)..] : flag == "--json" ? "true" : rest.TryDequeue(out var next) ? next : throw new StartException($"nvcf-test: {flag} needs a value");
            settings = settings.With(flag[2..], value);
        }

        return settings.Check();
    }

    private TestSettings With(string flag, string value) => flag switch
    {
        "url" => this with { Url = HttpUrl(flag, value) },
        "grpc-url" => this with { GrpcUrl = HttpUrl(flag, value) },
        "health" => this with { Health = PathOf(flag, value) },
        "inference" => this with { Inference = PathOf(flag, value) },
        "stream" => this with { Stream = PathOf(flag, value) },
        "body" => this with { Body = Read(flag, value) },
        "stream-body" => this with { StreamBody = Read(flag, value) },
        "slow-body" => this with { SlowBody = Read(flag, value) },
        "asset-body" => this with { AssetBody = Read(flag, value) },
        "asset" => this with { Asset = Read(flag, value) },
        "health-timeout" => this with { HealthTimeout = TimeSpan.FromSeconds(Number(flag, value, 3600)) },
        "timeout" => this with { Timeout = TimeSpan.FromSeconds(Number(flag, value, 3600)) },
        "poll-seconds" => this with { PollLimit = TimeSpan.FromSeconds(Number(flag, value, 3600)) },
        "concurrency" => this with { Concurrency = (int)Number(flag, value, 1024) },
        "oversized-body" => this with { OversizedBody = Number(flag, value, int.MaxValue) },
        "directory" => this with { Directory = Path.GetFullPath(value) },
        "container-directory" => this with { ContainerDirectory = value },
        "config-directory" => this with { ConfigDirectory = Path.GetFullPath(value) },
        "command" => this with { Command = value },
        _ => this with { IsJson = Option.TryParseSwitch(value, out var on) ? on : throw new StartException($"nvcf-test: --{flag}: expected true or false, got '{value}'") },
    };

    private TestSettings Check()
    {
        if (Inference is null && GrpcUrl is null)
        {
            throw new StartException("nvcf-test: --inference PATH says which path answers requests; a function of gRPC only has --grpc-url instead");
        }

        if (ContainerDirectory is not null && Directory is null)
        {
            throw new StartException("nvcf-test: --container-directory is the container's name for a directory that --directory gives");
        }

        return Inference is null || Body.Length > 0 ? this : throw new StartException("nvcf-test: --body FILE says what to send to the inference path");
    }

    private static Uri HttpUrl(string flag, string value)
        => Uri.TryCreate(value, UriKind.Absolute, out var url) && url.Scheme == Uri.UriSchemeHttp && url.PathAndQuery == "/"
            ? url
            : throw new StartException($"nvcf-test: --{flag}: expected http://HOST:PORT, as the platform asks a container, got '{value}'");

    private static string PathOf(string flag, string value)
        => value.StartsWith('/') ? value : throw new StartException($"nvcf-test: --{flag}: expected a path that begins with '/', got '{value}'");

    private static long Number(string flag, string value, long most)
        => long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= 1 && number <= most
            ? number
            : throw new StartException($"nvcf-test: --{flag}: expected a whole number from 1 to {most}, got '{value}'");

    private static byte[] Read(string flag, string path)
    {
        try
        {
            return File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartException($"nvcf-test: --{flag}: '{path}' cannot be read: {e.Message}", e);
        }
    }
}
