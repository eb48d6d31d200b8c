using Microsoft.Extensions.Logging;
using Runtime.Host.Lifecycle;
using Runtime.Host.Settings;
using Runtime.Host.Tests.Grpc;
using Runtime.Models;
using HostOptions = Runtime.Host.Options.HostOptions;

namespace Runtime.Host.Tests.Lifecycle;

/// <summary>A repository behind doors on real ports, with clients of both protocols; disposing it ends all of them, models and state included.</summary>
internal sealed class OpenDoors : IAsyncDisposable
{
    private readonly ModelRepository _models;
    private readonly ServerState _state;
    private readonly DoorFactory _doors;

    public OpenDoors(HostOptions options, HostedModels models, Admission admission, LogSettings log, ILoggerFactory loggers)
    {
        (_models, _state) = (models.Repository, admission.State);
        _doors = new DoorFactory(options, models, admission, log, loggers);
        Server = new InferenceServer(options, _doors.Create, loggers);
    }

    public InferenceServer Server { get; }

    public HttpClient Http { get; } = new(new SocketsHttpHandler { UseProxy = false }) { Timeout = Timeout.InfiniteTimeSpan };

    public GrpcClient Grpc { get; private set; } = null!;

    /// <summary>Loads what the repository loads at its start, and opens.</summary>
    public async Task OpenAsync()
    {
        Assert.Empty(await _models.StartAsync(default));
        Server.Listen();
        await Server.StartAsync(default);
        _state.Started();
        Grpc = new GrpcClient(new Uri($"http://{Server.GrpcAddress}"));
    }

    /// <summary>Lets in no more.</summary>
    public void Drain() => _state.BeginDraining();

    public async ValueTask DisposeAsync()
    {
        Grpc.Dispose();
        Http.Dispose();
        Drain();
        await Server.StopAsync();
        Server.Dispose();
        await _models.DisposeAsync();
        _doors.Dispose();
        _state.Dispose();
    }
}
