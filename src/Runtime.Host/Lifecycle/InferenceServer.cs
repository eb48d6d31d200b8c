using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Runtime.Host.Options;
using static Microsoft.Extensions.Options.Options;

namespace Runtime.Host.Lifecycle;

/// <summary>The listeners for HTTP, gRPC and metrics, straight on Kestrel: no routing, no dependency injection, no per-request diagnostics.</summary>
internal sealed class InferenceServer : IDisposable
{
    /// <summary>Whether requests start on the thread that learns of their arrival, which saves a hop; doors never block it.</summary>
    private const bool PreferInlineSockets = true;

    private readonly HostOptions _options;
    private readonly ILoggerFactory _loggers;
    private readonly KestrelServer _kestrel;
    private readonly List<(Door Door, ListenOptions Listen)> _listeners = [];

    public InferenceServer(HostOptions options, Doors doors, ILoggerFactory loggers)
    {
        _options = options;
        _loggers = loggers;
        var kestrel = Limits();
        Listen(kestrel, options.AllowHttp, new Door("HTTP", doors.Http, false), Resolve(options.HttpAddress, options.HttpPort, "--http-address"));
        Listen(kestrel, options.AllowGrpc, new Door("gRPC", doors.Grpc, true), Resolve(options.GrpcAddress, options.GrpcPort, "--grpc-address"));
        Listen(kestrel, options.AllowMetrics, new Door("metrics", doors.Metrics, false), Resolve(options.MetricsAddress, options.MetricsPort, "--metrics-address"));
        var transport = new ListenerFactory(SocketTransport.Create(PreferInlineSockets, loggers));
        _kestrel = new KestrelServer(Create(kestrel), transport, loggers);
    }

    /// <summary>The names of the open doors (HTTP, gRPC, metrics) and where they listen, once started.</summary>
    public IReadOnlyList<(string Door, IPEndPoint Address)> Addresses => [.. _listeners.Select(l => (l.Door.Name, l.Listen.IPEndPoint!))];

    public IPEndPoint? HttpAddress => Addresses.FirstOrDefault(a => a.Door == "HTTP").Address;

    public IPEndPoint? GrpcAddress => Addresses.FirstOrDefault(a => a.Door == "gRPC").Address;

    public IPEndPoint? MetricsAddress => Addresses.FirstOrDefault(a => a.Door == "metrics").Address;

    /// <summary>Listens; a <see cref="StartException"/> says which address is not to be had.</summary>
    public async Task StartAsync(CancellationToken cancellation)
    {
        await _kestrel.StartAsync(new DoorApplication(_loggers.CreateLogger<InferenceServer>()), cancellation);
        var logger = _loggers.CreateLogger<InferenceServer>();
        foreach (var (door, address) in Addresses)
        {
            logger.LogInformation("Started {Door} at {Address}", door, address);
        }
    }

    /// <summary>Stops accepting and waits for requests in flight, for the exit timeout or what is left of it; false when that ended some of them.</summary>
    public async Task<bool> StopAsync(TimeSpan? limit = null)
    {
        // Closing idle connections takes a moment too, which is no request that was cut off.
        var seconds = Math.Max(limit?.TotalSeconds ?? _options.ExitTimeoutSecs, 0.2);
        using var over = new CancellationTokenSource(TimeSpan.FromSeconds(seconds));
        await _kestrel.StopAsync(over.Token);
        return !over.IsCancellationRequested;
    }

    public void Dispose() => _kestrel.Dispose();

    private static KestrelServerOptions Limits()
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
        return kestrel;
    }

    private static IPEndPoint Resolve(string address, int port, string flag)
    {
        try
        {
            var resolved = address is "*" ? IPAddress.Any
                : IPAddress.TryParse(address, out var literal) ? literal
                : Dns.GetHostAddresses(address).OrderBy(a => a.AddressFamily == AddressFamily.InterNetwork ? 0 : 1).First();
            return new IPEndPoint(resolved, port);
        }
        catch (Exception e) when (e is SocketException or ArgumentException)
        {
            throw new StartException($"{flag}: '{address}' is no address of this machine: {e.Message}", e);
        }
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

    private void Listen(KestrelServerOptions kestrel, bool allowed, Door door, IPEndPoint endpoint)
    {
        if (!allowed)
        {
            return;
        }

        kestrel.Listen(endpoint, listen =>
        {
            listen.Protocols = door.IsGrpc ? HttpProtocols.Http2 : HttpProtocols.Http1;
            if (!door.IsGrpc)
            {
                listen.Use(next => new RequestHeadRepair(next, kestrel.Limits.KeepAliveTimeout).HandleAsync);
            }

            listen.Use(next => connection => door.IsGrpc ? EnterAsync(next, connection, door) : EnterHttpAsync(next, connection, door));
            _listeners.Add((door, listen));
        });
    }
}
