using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Google.Protobuf;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Runtime.Backends;
using Runtime.Devices;
using Runtime.Host.Grpc;
using Runtime.Host.Http;
using Runtime.Host.Lifecycle;
using Runtime.Host.Options;
using Runtime.Host.Settings;
using Runtime.Host.Tests.Grpc;
using Runtime.Inference;
using Runtime.Models;
using Runtime.Tensors;

namespace Runtime.Host.Tests.Lifecycle;

/// <summary>Limits, timeouts and the drain of a whole process on real ports; the model <c>gate</c> executes until it is opened or cancelled.</summary>
public sealed class LimitsTests : IAsyncLifetime
{
    private const string ModelInfer = GrpcClient.Inference + "ModelInfer";
    private const string Body = """{"inputs":[{"name":"X","shape":[1,1],"datatype":"INT32","data":[1]}]}""";

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("limits");
    private readonly TaskCompletionSource _stop = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Gate _gate = new();
    private readonly WebServerErrors _errors = new();
    private readonly HttpClient _http = new();
    private ModelRepository _models = null!;
    private ServerState _state = null!;
    private Admission _admission = null!;
    private DoorFactory _doors = null!;
    private InferenceServer _server = null!;
    private Task<int> _process = null!;
    private GrpcClient _grpc = null!;

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        _stop.TrySetResult();
        await _process;
        Assert.Equal((0, 0), (_admission.RequestsInFlight, _admission.BytesInFlight));
        Assert.Empty(_errors.Lines);
        _grpc.Dispose();
        _http.Dispose();
        _server.Dispose();
        _doors.Dispose();
        _state.Dispose();
        _directory.Delete(recursive: true);
    }

    [Theory]
    [InlineData("", 1, 0)]
    [InlineData("", 0, 10)]
    [InlineData("parameters { key: 'max_concurrent_requests' value { string_value: '1' } }", 0, 0)]
    public async Task Infer_LimitReached_IsRefusedAtEachDoor(string config, int requests, long bytes)
    {
        await StartAsync(config, options => options with { MaxRequestsInFlight = requests, MaxBodyBytesInFlight = bytes });
        var first = PostAsync();
        await _gate.Entered.WaitAsync();

        using var http = await PostAsync();
        Assert.Equal((HttpStatusCode)429, http.StatusCode);
        Assert.Contains("nv_inference_request_failure{model=\"gate\",reason=\"REJECTED\",version=\"1\"} 1", await MetricsAsync());
        Assert.Equal("1", Assert.Single(http.Headers.GetValues("Retry-After")));
        (await _grpc.CallAsync(ModelInfer, TestRequests.Infer("gate", 1))).AssertFails(GrpcStatusCode.ResourceExhausted, "already ");
        var stream = await _grpc.CallAsync(GrpcClient.Inference + "ModelStreamInfer", Frames.Of(TestRequests.Infer("gate", 1).ToByteArray()));
        Assert.Contains("already ", Protocol.ModelStreamInferResponse.Parser.ParseFrom(Assert.Single(stream.Messages)).ErrorMessage, StringComparison.Ordinal);
        var metrics = await MetricsAsync();
        Assert.Contains($"runtime_requests_refused_total{{reason=\"REQUESTS\"}} {(requests > 0 ? 3 : 0)}", metrics);
        Assert.Contains($"runtime_requests_refused_total{{reason=\"BYTES\"}} {(bytes > 0 ? 3 : 0)}", metrics);
        Assert.Contains("runtime_requests_in_flight 1", metrics);
        Assert.Contains($"runtime_body_bytes_in_flight {Body.Length}", metrics);

        _gate.Opened.Release();
        Assert.Equal(HttpStatusCode.OK, (await first).StatusCode);
        await AssertNothingHeldAsync();
    }

    [Theory]
    [InlineData("", 1, 0, 0)]
    [InlineData("", 0, 200, 0)]
    [InlineData("parameters { key: 'max_concurrent_requests' value { string_value: '1' } }", 0, 0, 1)]
    public async Task Infer_LimitReached_IsRefusedOverGrpcBeforeTheMessageHasCome(string config, int requests, long bytes, int counted)
    {
        await StartAsync(config, options => options with { MaxRequestsInFlight = requests, MaxBodyBytesInFlight = bytes });
        var first = PostAsync();
        await _gate.Entered.WaitAsync();
        var message = TestRequests.Infer("gate", Enumerable.Range(0, 100).ToArray()).ToByteArray();
        using var body = new OpenBody(Frames.Of(message)[..40]);

        using var refused = await _grpc.SendAsync(ModelInfer, body, default);
        await refused.Content.ReadAsByteArrayAsync();

        Assert.Equal(GrpcStatusCode.ResourceExhausted, GrpcClient.Status(refused));
        Assert.Contains($"nv_inference_request_failure{{model=\"gate\",reason=\"REJECTED\",version=\"1\"}} {counted}", await MetricsAsync());
        body.End();
        _gate.Opened.Release();
        Assert.Equal(HttpStatusCode.OK, (await first).StatusCode);
        await AssertNothingHeldAsync();
    }

    /// <summary>Its error comes while the message does, what is left of it is passed over, and the next request is served.</summary>
    [Theory]
    [InlineData("", 1, 0)]
    [InlineData("", 0, 200)]
    [InlineData("parameters { key: 'max_concurrent_requests' value { string_value: '1' } }", 0, 0)]
    public async Task StreamInfer_LimitReached_IsRefusedBeforeTheMessageHasComeAndTheStreamGoesOn(string config, int requests, long bytes)
    {
        await StartAsync(config, options => options with { MaxRequestsInFlight = requests, MaxBodyBytesInFlight = bytes });
        var first = PostAsync();
        await _gate.Entered.WaitAsync();
        var large = TestRequests.Infer("gate", Enumerable.Range(0, 100).ToArray());
        large.Id = "large";
        var frame = Frames.Of(large.ToByteArray());
        using var body = new OpenBody(frame[..40]);

        using var stream = await _grpc.SendAsync(GrpcClient.Inference + "ModelStreamInfer", body, default);
        using var responses = await stream.Content.ReadAsStreamAsync();
        var refused = await NextAsync(responses);
        Assert.Contains("already ", refused.ErrorMessage, StringComparison.Ordinal);
        Assert.Equal("large", refused.InferResponse.Id);

        _gate.Opened.Release(2);
        Assert.Equal(HttpStatusCode.OK, (await first).StatusCode);
        while (_admission.RequestsInFlight > 0)
        {
            await MetricsAsync(); // a place goes back just after the answer has left
        }

        body.Send(frame[40..300]);
        body.Send([.. frame[300..], .. Frames.Of(TestRequests.Infer("gate", 1).ToByteArray())]);
        Assert.Empty((await NextAsync(responses)).ErrorMessage);
        body.End();
        await AssertNothingHeldAsync();
    }

    /// <summary>Bytes that are no message, of which more is to come.</summary>
    [Theory]
    [InlineData("ModelInfer")]
    [InlineData("ModelStreamInfer")]
    public async Task Infer_ClientOfAMalformedMessageLeaves_GivesItsPlaceBack(string method)
    {
        await StartAsync("", options => options with { MaxRequestsInFlight = 1 });
        using var leaving = new CancellationTokenSource();
        using var body = new OpenBody([0, 0, 0, 4, 0, 0x00]);
        var uploading = _grpc.SendAsync(GrpcClient.Inference + method, body, leaving.Token);
        await LetInAsync();

        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => uploading);
        await AssertNothingHeldAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Infer_MessageComesSlowly_CountsAmongTheBytesInFlight(bool isLeft)
    {
        var message = TestRequests.Infer("gate", Enumerable.Range(0, 100).ToArray()).ToByteArray();
        await StartAsync("", options => options with { MaxBodyBytesInFlight = message.Length + 1 });
        _gate.Opened.Release(1);
        using var leaving = new CancellationTokenSource();
        using var body = new OpenBody(Frames.Of(message)[..40]);
        var uploading = _grpc.SendAsync(ModelInfer, body, leaving.Token);
        await LetInAsync();

        Assert.Equal((message.Length, 1), (_admission.BytesInFlight, _admission.RequestsInFlight));
        Assert.Equal((HttpStatusCode)429, (await PostAsync()).StatusCode);
        if (isLeft)
        {
            await leaving.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => uploading);
        }
        else
        {
            _stop.SetResult(); // what has begun to come is served
            body.Send(Frames.Of(message)[40..]);
            body.End();
            using var served = await uploading;
            await served.Content.ReadAsByteArrayAsync();
            Assert.Equal(GrpcStatusCode.Ok, GrpcClient.Status(served));
        }

        await AssertNothingHeldAsync();
    }

    [Theory]
    [InlineData("nonsense", 400)]
    [InlineData("""{"inputs":[{"name":"X","shape":[1,1],"datatype":"INT32","data":[-1]}]}""", 500)]
    public async Task Infer_Fails_GivesItsPlaceBack(string body, int status)
    {
        await StartAsync("parameters { key: 'max_concurrent_requests' value { string_value: '2' } }", options => options with { MaxRequestsInFlight = 2 });

        Assert.Equal(status, (int)(await PostAsync(body)).StatusCode);
        (await _grpc.CallAsync(ModelInfer, Frames.Of([0xff, 0xff]))).AssertFails(GrpcStatusCode.Internal, "");

        await AssertNothingHeldAsync();
    }

    [Fact]
    public async Task Infer_TimeOver_IsToldAtEachDoorAndGivesItsPlaceBack()
    {
        await StartAsync("parameters { key: 'request_timeout_ms' value { string_value: '20' } }", options => options with { MaxRequestsInFlight = 2 });

        Assert.Equal(HttpStatusCode.GatewayTimeout, (await PostAsync()).StatusCode);
        (await _grpc.CallAsync(ModelInfer, TestRequests.Infer("gate", 1))).AssertFails(GrpcStatusCode.DeadlineExceeded, "20 milliseconds");

        await AssertNothingHeldAsync();
    }

    [Fact]
    public async Task Infer_ClientGone_GivesItsPlaceBack()
    {
        await StartAsync("", options => options with { MaxRequestsInFlight = 1 });
        using (var client = new TcpClient())
        {
            await client.ConnectAsync(_server.HttpAddress!);
            await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"POST /v2/models/gate/infer HTTP/1.1\r\nHost: x\r\nContent-Length: {Body.Length}\r\n\r\n{Body}"));
            await _gate.Entered.WaitAsync();
            client.Client.LingerState = new LingerOption(true, 0);
        }

        await _gate.Cancelled.WaitAsync();
        await AssertNothingHeldAsync();
    }

    [Theory]
    [InlineData("infer")]
    [InlineData("generate")]
    public async Task Infer_ClientGoneInTheMiddleOfItsBody_GivesItsPlaceBackAndLogsNoError(string method)
    {
        await StartAsync("", options => options with { MaxRequestsInFlight = 1 });
        using (var client = new TcpClient())
        {
            await client.ConnectAsync(_server.HttpAddress!);
            await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"POST /v2/models/gate/{method} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{{"));
            await LetInAsync();

            client.Client.LingerState = new LingerOption(true, 0);
            client.Client.Close(); // a reset, where the client's own end would shut down first
        }

        await AssertNothingHeldAsync();
    }

    [Fact]
    public async Task Drain_RequestInFlightAndIdleStream_AnswersTheOneAndEndsTheOther()
    {
        await StartAsync("", options => options);
        using var body = new OpenBody(Frames.Of(TestRequests.Infer("nosuch", 1).ToByteArray()));
        using var stream = await _grpc.SendAsync(GrpcClient.Inference + "ModelStreamInfer", body, default);
        var first = PostAsync();
        await _gate.Entered.WaitAsync();
        _stop.SetResult();

        await stream.Content.ReadAsByteArrayAsync();
        Assert.Equal(GrpcStatusCode.Unavailable, GrpcClient.Status(stream));
        using var late = await PostAsync();
        Assert.Equal(HttpStatusCode.ServiceUnavailable, late.StatusCode);
        Assert.True(late.Headers.ConnectionClose);
        Assert.Equal("""{"error":"server is shutting down"}""", await late.Content.ReadAsStringAsync());
        Assert.Equal(HttpStatusCode.BadRequest, (await _http.GetAsync(Address("v2/health/ready"))).StatusCode);
        var metrics = await MetricsAsync();
        Assert.Contains("runtime_requests_refused_total{reason=\"DRAINING\"} 1", metrics);
        Assert.Contains("nv_inference_request_failure{model=\"gate\",reason=\"REJECTED\",version=\"1\"} 1", metrics);

        _gate.Opened.Release();
        Assert.Equal(HttpStatusCode.OK, (await first).StatusCode);
        Assert.Equal(0, await _process);
        body.End();
    }

    [Fact]
    public async Task Drain_WithADelay_ServesOnUntilItIsOver()
    {
        var time = new LongTimer();
        await StartAsync("", options => options with { DrainDelaySecs = 3600 }, time);
        Assert.Null((await _http.GetAsync(Address("v2/health/ready"))).Headers.ConnectionClose);
        _stop.SetResult();
        var delay = await time.Created;

        Assert.Equal(HttpStatusCode.BadRequest, (await _http.GetAsync(Address("v2/health/ready"))).StatusCode);
        _gate.Opened.Release();
        using var served = await PostAsync();
        Assert.Equal(HttpStatusCode.OK, served.StatusCode);
        Assert.True(served.Headers.ConnectionClose);
        delay();

        Assert.Equal(0, await _process);
    }

    /// <summary>A call may still come over the connection before its GOAWAY has.</summary>
    [Fact]
    public async Task Drain_WithADelay_CallsAreServedOverNewConnections()
    {
        const int MostCalls = 1000;
        var time = new LongTimer();
        await StartAsync("", options => options with { DrainDelaySecs = 3600 }, time);
        _gate.Opened.Release(MostCalls);
        await InferAsync();
        await InferAsync();
        Assert.Equal(1, _grpc.Connections);
        _stop.SetResult();
        var delay = await time.Created;

        for (var i = 2; i < MostCalls && _grpc.Connections == 1; i++)
        {
            await InferAsync();
        }

        Assert.NotEqual(1, _grpc.Connections);
        delay();
        Assert.Equal(0, await _process);

        async Task InferAsync() => Assert.Equal(GrpcStatusCode.Ok, (await _grpc.CallAsync(ModelInfer, TestRequests.Infer("gate", 1))).Status);
    }

    [Fact]
    public async Task Execute_FailsForGood_EndsReadinessServesWhatRunsAndExits()
    {
        await StartAsync("instance_group { count: 2 kind: KIND_CPU }", options => options with { DrainDelaySecs = 3600 });
        var first = PostAsync();
        await _gate.Entered.WaitAsync();

        using var lost = await PostAsync(Body.Replace("[1]}]", "[-2]}]", StringComparison.Ordinal));
        Assert.Equal(HttpStatusCode.InternalServerError, lost.StatusCode);
        Assert.Equal((false, false), (_state.IsLive, _state.IsReady));
        _gate.Opened.Release();

        Assert.Equal(HttpStatusCode.OK, (await first).StatusCode);
        Assert.Equal(1, await _process);
    }

    /// <summary>A place goes back just after the answer has left; the drain waits for it, which the process's end tells.</summary>
    private async Task AssertNothingHeldAsync()
    {
        _models.TryList("gate", "", out var models);
        _stop.TrySetResult();
        Assert.Equal(0, await _process);
        Assert.Equal((0, 0), (_admission.RequestsInFlight, _admission.BytesInFlight));
        Assert.All(models, model => Assert.Equal(0, model.SlotsInUse));
    }

    private static async Task<Protocol.ModelStreamInferResponse> NextAsync(Stream responses)
    {
        var header = new byte[FrameReader.HeaderSize];
        await responses.ReadExactlyAsync(header);
        var message = new byte[BinaryPrimitives.ReadInt32BigEndian(header.AsSpan(1))];
        await responses.ReadExactlyAsync(message);
        return Protocol.ModelStreamInferResponse.Parser.ParseFrom(message);
    }

    /// <summary>Waits until a request that is still coming in has its place.</summary>
    private async Task LetInAsync()
    {
        while (_admission.BytesInFlight == 0)
        {
            await MetricsAsync();
        }
    }

    private Uri Address(string path) => new($"http://{_server.HttpAddress}/{path}");

    private async Task<string[]> MetricsAsync() => (await _http.GetStringAsync(new Uri($"http://{_server.MetricsAddress}/metrics"))).Split('\n');

    private async Task<HttpResponseMessage> PostAsync(string body = Body)
    {
        using var content = new StringContent(body);
        return await _http.PostAsync(Address("v2/models/gate/infer"), content);
    }

    private async Task StartAsync(string config, Func<HostOptions, HostOptions> configure, TimeProvider? time = null)
    {
        var model = _directory.CreateSubdirectory("gate");
        model.CreateSubdirectory("1");
        File.WriteAllText(
            Path.Combine(model.FullName, "config.pbtxt"),
            "backend: 'gate' max_batch_size: 8 input { name: 'X' data_type: TYPE_INT32 dims: -1 } output { name: 'Y' data_type: TYPE_INT32 dims: -1 } " + config);
        var options = configure(ServerUnderTest.FreePorts);
        var loggers = new LoggerFactory([_errors]);
        _models = new ModelRepository(new RepositoryOptions { Directories = [_directory.FullName] }, [_gate]);
        _state = new ServerState(true, () => _models.IsReady);
        _models.FailedForGood += (name, error) => _state.Break(name + error.Message);
        _admission = new Admission(options, _state);
        _doors = new DoorFactory(options, new HostedModels(_models, new ModelRoutes()), _admission, new LogSettings(options), loggers);
        _server = new InferenceServer(options, _doors.Create, loggers);
        var loaded = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var served = new ServedModels(_models.StartAsync, () => Loaded(_models, loaded), _models.DisposeAsync);
        _process = new ServerProcess(options, _admission, _server, served, loggers) { Time = time ?? TimeProvider.System }.RunAsync(_stop.Task);
        await Task.WhenAny(loaded.Task, _process);
        _grpc = new GrpcClient(new Uri($"http://{_server.GrpcAddress}"));
    }

    private static IReadOnlyList<ModelIndexEntry> Loaded(ModelRepository models, TaskCompletionSource loaded)
    {
        loaded.SetResult();
        return models.Index(readyOnly: false);
    }

    /// <summary>A clock whose first timer of an hour or more the test sets off.</summary>
    private sealed class LongTimer : TimeProvider
    {
        private readonly TaskCompletionSource<Action> _created = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<Action> Created => _created.Task;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
            => dueTime >= TimeSpan.FromHours(1) && _created.TrySetResult(() => callback(state)) ? TimeProvider.System.CreateTimer(callback, state, Timeout.InfiniteTimeSpan, period) : TimeProvider.System.CreateTimer(callback, state, dueTime, period);
    }

    /// <summary>What the web server below finds wrong with how it is used.</summary>
    private sealed class WebServerErrors : ILoggerProvider, ILogger
    {
        public ConcurrentQueue<string> Lines { get; } = [];

        public ILogger CreateLogger(string categoryName) => categoryName.StartsWith("Microsoft.", StringComparison.Ordinal) ? this : NullLogger.Instance;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Error;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
            {
                Lines.Enqueue($"{formatter(state, exception)} {exception}");
            }
        }

        public void Dispose()
        {
        }
    }

    private sealed class Gate : IBackend, ILoadedModel, IModelInstance
    {
        public SemaphoreSlim Entered { get; } = new(0);

        public SemaphoreSlim Opened { get; } = new(0);

        public SemaphoreSlim Cancelled { get; } = new(0);

        public string Name => "gate";

        public ModelSignature? Signature => null;

        public ILoadedModel Load(ModelConfig config, string versionDirectory) => this;

        public IDisposable CreateInstance(ModelConfig config, Device device) => this;

        public TensorSet Execute(TensorSet inputs, CancellationToken cancellation)
        {
            var value = BitConverter.ToInt32(inputs[0].Data.Span);
            if (value < 0)
            {
                throw new InferenceException(new InferenceError(ErrorCode.Internal, "no good") { IsPermanent = value == -2 });
            }

            Entered.Release();
            using (cancellation.Register(() => Cancelled.Release()))
            {
                Opened.Wait(cancellation);
            }

            var outputs = new TensorSet();
            outputs.Rent("Y", inputs[0].Type, inputs[0].Shape, inputs[0].Data.Length, out var memory);
            inputs[0].Data.CopyTo(memory);
            return outputs;
        }

        public void Dispose()
        {
        }
    }
}
