using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Runtime.Host.Options;
using static Microsoft.Extensions.Options.Options;

namespace Runtime.Host.Lifecycle;

/// <summary>The listeners for HTTP, gRPC and metrics, straight on Kestrel: no routing, no dependency injection, no per-request diagnostics.</summary>
internal sealed class InferenceServer : IDisposable
{
    private const string HttpDoor = "HTTP";
    private const string GrpcDoor = "gRPC";
    private const string MetricsDoor = "metrics";

    /// <summary>Whether requests start on the thread that learns of their arrival, which saves a hop; doors hold it for no longer than the execution of a cheap model.</summary>
    private const bool PreferInlineSockets = true;

    private readonly HostOptions _options;
    private readonly Func<Doors> _doors;
    private readonly ILoggerFactory _loggers;
    private readonly ILogger _logger;
    private readonly DoorApplication _application;
    private readonly List<DoorSocket> _sockets = [];
    private KestrelServer? _kestrel;

    public InferenceServer(HostOptions options, Func<Doors> doors, ILoggerFactory loggers)
    {
        (_options, _doors, _loggers) = (options, doors, loggers);
        _logger = loggers.CreateLogger<InferenceServer>();
        _application = new DoorApplication(_logger);
    }

    /// <summary>The names of the open doors (HTTP, gRPC, metrics) and where they listen.</summary>
    public IReadOnlyList<(string Door, IPEndPoint Address)> Addresses => [.. _sockets.Select(socket => (socket.Door, socket.Address))];

    public IPEndPoint? HttpAddress => Address(HttpDoor);

    public IPEndPoint? GrpcAddress => Address(GrpcDoor);

    public IPEndPoint? MetricsAddress => Address(MetricsDoor);

    /// <summary>Takes the ports, which is quick; a <see cref="StartException"/> says which is not to be had.</summary>
    public void Listen()
    {
        Listen(HttpDoor, _options.AllowHttp, _options.HttpAddress, _options.HttpPort);
        Listen(GrpcDoor, _options.AllowGrpc, _options.GrpcAddress, _options.GrpcPort);
        Listen(MetricsDoor, _options.AllowMetrics, _options.MetricsAddress, _options.MetricsPort);
    }

    /// <summary>Serves who comes to the ports, after <see cref="Listen()"/>.</summary>
    public async Task StartAsync(CancellationToken cancellation)
    {
        var doors = _doors();
        var kestrel = Limits(_options);
        foreach (var socket in _sockets)
        {
            Serve(kestrel, socket.Address, socket.Door switch
            {
                HttpDoor => new Door(HttpDoor, doors.Http!, false),
                GrpcDoor => new Door(GrpcDoor, doors.Grpc!, true),
                _ => new Door(MetricsDoor, doors.Metrics!, false),
            });
        }

        var transport = SocketTransport.Create(address => _sockets.First(socket => socket.Address.Equals(address)).Socket, PreferInlineSockets, _loggers);
        _kestrel = new KestrelServer(Create(kestrel), transport, _loggers);
        await _kestrel.StartAsync(_application, cancellation);
        foreach (var (door, address) in Addresses)
        {
            _logger.LogInformation("Started {Door} at {Address}", door, address);
        }
    }

    /// <summary>Serves on, but closes each connection once the next request over it is answered, so that clients who keep one go elsewhere.</summary>
    public void CloseConnectionsAfterAnswers() => _application.ClosesConnections = true;

    /// <summary>Stops accepting and waits for requests in flight, for the exit timeout or what is left of it; false when that ended some of them.</summary>
    public async Task<bool> StopAsync(TimeSpan? limit = null)
    {
        // Closing idle connections takes a moment too, which is no request that was cut off.
        var seconds = Math.Max(limit?.TotalSeconds ?? _options.ExitTimeoutSecs, 0.2);
        using var over = new CancellationTokenSource(TimeSpan.FromSeconds(seconds));
        await (_kestrel?.StopAsync(over.Token) ?? Task.CompletedTask);
        return !over.IsCancellationRequested;
    }

    public void Dispose()
    {
        _kestrel?.Dispose();
        _sockets.ForEach(socket => socket.Dispose());
    }

    private static KestrelServerOptions Limits(HostOptions options)
    {
        // A head whose lines end in a bare line feed is a way to smuggle a second request past a proxy.
        AppContext.SetSwitch("Microsoft.AspNetCore.Server.Kestrel.DisableHttp1LineFeedTerminators", true);
        var kestrel = new KestrelServerOptions
        {
            AddServerHeader = false,
            // An absolute target names its host itself, whatever the Host header says.
            AllowHostHeaderOverride = true,
        };

        // The doors count bodies themselves, also once decompressed, and answer with an error that says so.
        kestrel.Limits.MaxRequestBodySize = null;
        kestrel.Limits.Http2.MaxStreamsPerConnection = 1024;
        kestrel.Limits.Http2.InitialConnectionWindowSize = 8 << 20;
        kestrel.Limits.Http2.InitialStreamWindowSize = 4 << 20;

        // A client that vanished without a word would keep what its calls hold for ever.
        kestrel.Limits.Http2.KeepAlivePingDelay = options.GrpcKeepaliveTime == 0 ? Timeout.InfiniteTimeSpan : TimeSpan.FromMilliseconds(options.GrpcKeepaliveTime);
        kestrel.Limits.Http2.KeepAlivePingTimeout = TimeSpan.FromMilliseconds(options.GrpcKeepaliveTimeout);
        return kestrel;
    }

    private static Task EnterAsync(ConnectionDelegate next, ConnectionContext connection, Door door)
    {
        connection.Features.Set(new DoorConnection(door, null));
        return next(connection);
    }

    private static async Task EnterHttpAsync(ConnectionDelegate next, ConnectionContext connection, Door door)
    {
        var transport = connection.Transport;
        var refusals = new RefusalBodies(transport.Output);
        connection.Features.Set(new DoorConnection(door, refusals));
        connection.Transport = new Duplex(transport.Input, refusals);
        try
        {
            await next(connection);
        }
        finally
        {
            connection.Transport = transport;
        }
    }

    private void Listen(string door, bool allowed, string address, int port)
    {
        if (allowed)
        {
            _sockets.Add(DoorSocket.Listen(door, address, port, $"--{door.ToLowerInvariant()}-address"));
        }
    }

    private IPEndPoint? Address(string door) => _sockets.Find(socket => socket.Door == door)?.Address;

    private static void Serve(KestrelServerOptions kestrel, IPEndPoint address, Door door) => kestrel.Listen(address, listen =>
    {
        listen.Protocols = door.IsGrpc ? HttpProtocols.Http2 : HttpProtocols.Http1;
        if (!door.IsGrpc)
        {
            listen.Use(next => new RequestHeadRepair(next, kestrel.Limits.KeepAliveTimeout).HandleAsync);
        }

        listen.Use(next => connection => door.IsGrpc ? EnterAsync(next, connection, door) : EnterHttpAsync(next, connection, door));
    });
}
