using Runtime.Host.Lifecycle;
using Runtime.Host.Options;

namespace Runtime.Host.Tests.Options;

public sealed class HostOptionsBinderTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("options").FullName;
    private readonly Dictionary<string, string> _environment = [];

    public HostOptionsBinderTests() => Directory.CreateDirectory(Path.Combine(_directory, "models"));

    public void Dispose() => Directory.Delete(_directory, true);

    [Theory]
    [InlineData("--http-port=9000")]
    [InlineData("--http-port 9000")]
    [InlineData("serve --http-port 9000")]
    [InlineData("--http-port=1 --http-port=9000")]
    [InlineData("--http_port=9000")]
    public void Bind_Number_IsTaken(string line) => Assert.Equal(9000, Bind(line).HttpPort);

    [Theory]
    [InlineData("--allow-client-shm", true)]
    [InlineData("--allow-client-shm true", true)]
    [InlineData("--allow-client-shm=1", true)]
    [InlineData("--allow-client-shm=TRUE", true)]
    [InlineData("--allow-client-shm --log-verbose=1", true)]
    [InlineData("--allow-client-shm=false", false)]
    [InlineData("--allow-client-shm 0", false)]
    public void Bind_Switch_IsTaken(string line, bool expected) => Assert.Equal(expected, Bind(line).AllowClientShm);

    [Fact]
    public void Bind_RepeatedLists_Accumulate()
    {
        var options = Bind("--model-control-mode=explicit --load-model=a --load-model b --http-restricted-api=health,metadata:k=v --http-restricted-api=trace:k=w");

        Assert.Equal(["a", "b"], options.LoadModel);
        Assert.Equal(["health,metadata:k=v", "trace:k=w"], options.HttpRestrictedApi);
    }

    [Fact]
    public void Bind_ModelStore_IsModelRepository()
    {
        Directory.CreateDirectory(Path.Combine(_directory, "other"));

        var options = Bind("--model-store=models --model-repository=other");

        Assert.Equal([Path.Combine(_directory, "models"), Path.Combine(_directory, "other")], options.ModelRepository);
    }

    [Fact]
    public void Bind_NoRepository_IsModelsOfWorkingDirectory() =>
        Assert.Equal([Path.Combine(_directory, "models")], Bind("").ModelRepository);

    [Fact]
    public void Bind_NoRepositoryAnywhere_Fails()
    {
        Directory.Delete(Path.Combine(_directory, "models"));

        Assert.Equal("no model repository: give --model-repository DIR, or start where there is a directory 'models'", Fault(""));
    }

    [Fact]
    public void Bind_StrictModelConfig_DisablesCompletion() => Assert.True(Bind("--strict-model-config=true").DisableAutoCompleteConfig);

    [Fact]
    public void Bind_MetricsAddress_FollowsHttp()
    {
        Assert.Equal("127.0.0.1", Bind("--http-address=127.0.0.1").MetricsAddress);
        Assert.Equal("127.0.0.2", Bind("--http-address=127.0.0.1 --metrics-address=127.0.0.2").MetricsAddress);
    }

    [Fact]
    public void Bind_EverySource_NearerOneWins()
    {
        File.WriteAllText(Path.Combine(_directory, "settings.json"), """
            {
                // comments are fine
                "http_port": 1001, "grpc-port": 1002, "metrics_port": "1003", "exit-timeout-secs": 7,
                "allow_client_shm": true, "http-restricted-api": ["health:a=b", "trace:a=b"],
            }
            """);
        _environment["RUNTIME_CONFIG"] = "settings.json";
        _environment["RUNTIME_HTTP_PORT"] = "2001";
        _environment["RUNTIME_GRPC_PORT"] = "2002";
        _environment["RUNTIME_LOG_FILE"] = "";

        var options = Bind("--http-port=3001");

        Assert.Equal((3001, 2002, 1003, 7), (options.HttpPort, options.GrpcPort, options.MetricsPort, options.ExitTimeoutSecs));
        Assert.True(options.AllowClientShm);
        Assert.Equal(["health:a=b", "trace:a=b"], options.HttpRestrictedApi);
    }

    [Theory]
    [InlineData("", "", 5000)]
    [InlineData("", "6000", 6000)]
    [InlineData("--http-port=7000", "6000", 7000)]
    public void Bind_Port_StandsBelowExplicitSettings(string line, string variable, int expected)
    {
        _environment["PORT"] = "5000";
        _environment["RUNTIME_HTTP_PORT"] = variable;

        Assert.Equal(expected, Bind(line).HttpPort);
    }

    [Fact]
    public void Bind_GpuMetricsFlags_CountAsTritons()
    {
        var (options, warnings, _) = BindAll("--allow-gpu-metrics false --metrics-interval-ms=500");

        Assert.Equal((false, 500), (options.AllowGpuMetrics, options.MetricsIntervalMs));
        Assert.Empty(warnings);
        Assert.True(Bind("").AllowGpuMetrics);
    }

    [Fact]
    public void Bind_ListInEnvironment_IsSplitAtSemicolons()
    {
        _environment["RUNTIME_HTTP_RESTRICTED_API"] = "health,metadata:a=b; trace:a=b";

        Assert.Equal(["health,metadata:a=b", "trace:a=b"], Bind("").HttpRestrictedApi);
    }

    [Theory]
    [InlineData("--http-thread-count=8")]
    [InlineData("--grpc-keepalive-permit-without-calls 1")]
    [InlineData("--backend-config=onnxruntime,x=1")]
    [InlineData("--sagemaker-port=8080")]
    public void Bind_FlagOfTritonsWithoutMeaning_IsAWarning(string line)
    {
        var warning = Assert.Single(BindAll(line + " --http-port=9000").Warnings);

        Assert.Equal($"{line.Split(' ', '=')[0]} is a flag of Triton's that does nothing here", warning);
    }

    [Theory]
    [InlineData("", 0)]
    [InlineData("--cache-config=local,size=1048576", 1048576)]
    [InlineData("--cache-config local,size=5000000000", 5000000000)]
    [InlineData("--cache-config=local,size=1 --cache-config=local,size=2", 2)]
    [InlineData("--response-cache-byte-size=4096", 4096)]
    public void TryRead_CacheFlags_GiveItsBytes(string line, long expected)
    {
        Assert.Null(CacheFlags.TryRead(Bind(line), out var bytes));

        Assert.Equal(expected, bytes);
        Assert.Empty(BindAll(line).Warnings);
    }

    [Fact]
    public void Read_MetricsConfig_GivesItsSettings()
    {
        var flags = MetricsFlags.Read(Bind("--metrics-config=summary_latencies=true --metrics-config histogram_latencies=1 --metrics-config=counter_latencies=false --metrics-config=summary_quantiles=0.5:0.05,0.9"));

        Assert.Equal((false, true, true), (flags.Counters, flags.Summaries, flags.Histograms));
        Assert.Equal([0.5, 0.9], flags.Quantiles);
        Assert.Equal(MetricsFlags.Default, MetricsFlags.Read(Bind("")));
    }

    [Fact]
    public void Bind_MisspeltVariable_IsAWarning()
    {
        _environment["RUNTIME_HTP_PORT"] = "1";

        Assert.Equal(["unknown environment variable 'RUNTIME_HTP_PORT'; did you mean 'RUNTIME_HTTP_PORT'?"], BindAll("").Warnings);
    }

    [Theory]
    [InlineData("--htp-port=1", "unknown option '--htp-port'; did you mean '--http-port'?")]
    [InlineData("--qqqqqqqq", "unknown option '--qqqqqqqq'")]
    [InlineData("sevre", "unexpected argument 'sevre'; did you mean 'serve'?")]
    [InlineData("--http-port", "--http-port needs a value")]
    [InlineData("--http-port --grpc-port=1", "--http-port needs a value")]
    [InlineData("--http-port=eighty", "--http-port: expected a whole number, got 'eighty'")]
    [InlineData("--http-port=-1", "--http-port: expected 0 to 65535, got -1")]
    [InlineData("--http-port=65536", "--http-port: expected 0 to 65535, got 65536")]
    [InlineData("--http-port=99999999999", "--http-port: expected a whole number, got '99999999999'")]
    [InlineData("--allow-http=maybe", "--allow-http: expected true or false, got 'maybe'")]
    [InlineData("--http-port=8001", "--grpc-port and --http-port are both 8001")]
    [InlineData("--metrics-port=8000 --allow-grpc=false", "--http-port and --metrics-port are both 8000")]
    [InlineData("--allow-http=false --allow-grpc=false", "--allow-http=false and --allow-grpc=false together leave nothing to serve")]
    [InlineData("--load-model=a", "--load-model needs --model-control-mode=explicit, the mode is 'none'")]
    [InlineData("--model-control-mode=explicit --load-model=* --load-model=a", "--load-model=* loads every model and stands alone")]
    [InlineData("--model-control-mode=sometimes", "--model-control-mode: expected none, explicit or poll, got 'sometimes'")]
    [InlineData("--model-control-mode=poll --repository-poll-secs=0", "--repository-poll-secs: expected 1 or more, got 0")]
    [InlineData("--cache-config=redis,host=a", "--cache-config: expected local,size=N with N in bytes; there is no cache 'redis', only local")]
    [InlineData("--cache-config=local,sise=1", "--cache-config: expected local,size=N with N in bytes; the cache 'local' has no setting 'sise'")]
    [InlineData("--cache-config=local,size=1M", "--cache-config: expected local,size=N with N in bytes; '1M' is not a size of 1 or more")]
    [InlineData("--cache-config=local", "--cache-config: expected local,size=N with N in bytes, got 'local'")]
    [InlineData("--cache-config=local,size=1 --response-cache-byte-size=1", "--cache-config and --response-cache-byte-size say the same; give one of them")]
    [InlineData("--response-cache-byte-size=-1", "--response-cache-byte-size: expected 0 or more, got -1")]
    [InlineData("--metrics-config=latencies=true", "--metrics-config: unknown setting 'latencies'; there are counter_latencies, summary_latencies, histogram_latencies, summary_quantiles")]
    [InlineData("--metrics-config=summary_latencies", "--metrics-config: expected KEY=VALUE, got 'summary_latencies'")]
    [InlineData("--metrics-config=summary_latencies=yes", "--metrics-config: 'summary_latencies' must be true or false, got 'yes'")]
    [InlineData("--metrics-config=summary_quantiles=0.5:0.05,2", "--metrics-config: 'summary_quantiles' must be QUANTILE:ERROR,... with numbers from 0 to 1, got '0.5:0.05,2'")]
    [InlineData("--exit-timeout-secs=-1", "--exit-timeout-secs: expected 0 or more, got -1")]
    [InlineData("--canary-interval-secs=-1", "--canary-interval-secs: expected 0 to 86400, got -1")]
    [InlineData("--canary-timeout-secs=0", "--canary-timeout-secs: expected 1 to 86400, got 0")]
    [InlineData("--metrics-interval-ms=-1", "--metrics-interval-ms: expected 0 or more, got -1")]
    [InlineData("--default-max-queue-size=-1", "--default-max-queue-size: expected 0 or more, got -1")]
    [InlineData("--request-timeout-ms=-1", "--request-timeout-ms: expected 0 or more, got -1")]
    [InlineData("--max-requests-in-flight=-1", "--max-requests-in-flight: expected 0 or more, got -1")]
    [InlineData("--max-body-bytes-in-flight=-1", "--max-body-bytes-in-flight: expected 0 or more, got -1")]
    [InlineData("--http-max-input-size=0", "--http-max-input-size: expected 1 or more, got 0")]
    [InlineData("--grpc-max-message-size=2147483648", "--grpc-max-message-size: expected 1 to 2147483647, got 2147483648")]
    [InlineData("--trace-sample-ratio=2", "--trace-sample-ratio: expected a number from 0 to 1, got '2'")]
    [InlineData("--log-format=xml", "--log-format: expected default, ISO8601 or json, got 'xml'")]
    [InlineData("--http-header-forward-pattern=(", "--http-header-forward-pattern: '(' is not a regular expression")]
    [InlineData("--http-restricted-api=health:a=", "--http-restricted-api: expected API[,API…]:KEY=VALUE, got 'health:a=…'")]
    [InlineData("--http-restricted-api=health", "--http-restricted-api: expected API[,API…]:KEY=VALUE, got 'health'")]
    [InlineData("--http-restricted-api=health,helth:a=b", "--http-restricted-api: unknown API 'helth'; there are health, metadata, inference, shared-memory, model-config, model-repository, statistics, trace, logging")]
    [InlineData("--grpc-restricted-protocol=health:a=b --grpc-restricted-protocol=trace,health:a=c", "--grpc-restricted-protocol: 'health' is restricted twice")]
    [InlineData("--grpc-use-ssl=true", "--grpc-use-ssl asks for TLS, which this server does not speak; end TLS in a proxy in front of it and leave the flag out")]
    [InlineData("--grpc-server-key key.pem", "--grpc-server-key asks for TLS, which this server does not speak; end TLS in a proxy in front of it and leave the flag out")]
    [InlineData("--model-repository=nowhere", "the model repository 'nowhere' is not a directory")]
    public void Bind_WrongSettings_AreOneLine(string line, string expected) => Assert.Equal(expected, Fault(line));

    [Theory]
    [InlineData("--grpc-use-ssl=false")]
    [InlineData("--http-port=0 --grpc-port=0 --metrics-port=0")]
    [InlineData("--http-port=8001 --allow-grpc=false")]
    [InlineData("--http-address=127.0.0.1 --grpc-address=127.0.0.2 --grpc-port=8000")]
    public void Bind_HarmlessSettings_Stand(string line) => Assert.Empty(BindAll(line).Warnings);

    [Theory]
    [InlineData("""{"htp_port": 1}""", "unknown setting 'htp_port' in FILE; did you mean 'http-port'?")]
    [InlineData("""{"http_port": {}}""", "'http_port' in FILE: expected a text, a number, true or false, got {}")]
    [InlineData("""{"http_port": [1, 2]}""", "'http_port' in FILE: expected a text, a number, true or false, got [1, 2]")]
    [InlineData("""{"http_port": "x"}""", "'http_port' in FILE: expected a whole number, got 'x'")]
    [InlineData("""{"http_port": 1, "http-port": 2}""", "'http-port' in FILE is there twice")]
    [InlineData("[]", "the settings file 'FILE' must hold one JSON object")]
    public void Bind_WrongFile_NamesTheKey(string json, string expected)
    {
        var file = Path.Combine(_directory, "settings.json");
        File.WriteAllText(file, json);

        Assert.Equal(expected.Replace("FILE", file, StringComparison.Ordinal), Fault("--config settings.json"));
    }

    [Fact]
    public void Bind_FileThatIsNotThere_Fails() =>
        Assert.StartsWith($"cannot read the settings file '{Path.Combine(_directory, "none.json")}'", Fault("--config=none.json"), StringComparison.Ordinal);

    [Fact]
    public void Bind_Help_ListsEverySettingOnOneLine()
    {
        var text = BindAll("--help").Output!;

        Assert.All(OptionTable.All, option => Assert.Single(text.Split('\n'), l => l.StartsWith($"  --{option.Name} ", StringComparison.Ordinal)));
        Assert.Contains("(default 8000)", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Table_EveryProperty_HasARow()
    {
        var rows = OptionTable.All.Select(option => option.Name.Replace("-", "", StringComparison.Ordinal)).ToHashSet(StringComparer.OrdinalIgnoreCase);

        Assert.All(typeof(HostOptions).GetProperties(), property => Assert.Contains(property.Name, rows));
    }

    private static string[] Words(string line) => line.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    private BoundOptions BindAll(string line) => HostOptionsBinder.Bind(Words(line), _environment, _directory);

    private HostOptions Bind(string line) => BindAll(line).Options;

    private string Fault(string line) => Assert.Throws<StartException>(() => BindAll(line)).Message;
}
