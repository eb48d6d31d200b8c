using System.Collections.Concurrent;
using System.Net;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Runtime.Host.Tests.Telemetry;

internal sealed record Span(string TraceId, string Id, string ParentId, string Name, int Kind, IReadOnlyDictionary<string, object> Attributes, int Status, ulong Nanoseconds);

internal sealed record Point(string Metric, IReadOnlyDictionary<string, object> Attributes, double Value);

internal sealed record Line(string Text, string TraceId, IReadOnlyDictionary<string, object> Attributes, string Category);

/// <summary>Takes OTLP over HTTP and gRPC and hands out what came. It answers only while its gate is open.</summary>
internal sealed class OtlpCollector : IAsyncDisposable
{
    private readonly Channel<Span> _spans = Channel.CreateUnbounded<Span>();
    private readonly Channel<Point> _points = Channel.CreateUnbounded<Point>();
    private readonly Channel<Line> _lines = Channel.CreateUnbounded<Line>();
    private readonly TaskCompletionSource _open = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _entered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly WebApplication _server;

    private OtlpCollector()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http1);
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2);
        });
        _server = builder.Build();
        _server.Run(TakeAsync);
    }

    public string HttpAddress => Addresses[0];

    public string GrpcAddress => Addresses[1];

    /// <summary>The headers of the last request.</summary>
    public IReadOnlyDictionary<string, string> Headers { get; private set; } = new Dictionary<string, string>();

    /// <summary>What the resource of the last request says of its service.</summary>
    public IReadOnlyDictionary<string, object> Resource { get; private set; } = new Dictionary<string, object>();

    /// <summary>Every span that came.</summary>
    public ConcurrentQueue<Span> Seen { get; } = [];

    private string[] Addresses => [.. _server.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses];

    public static async Task<OtlpCollector> StartAsync(bool isOpen = true)
    {
        var collector = new OtlpCollector();
        if (isOpen)
        {
            collector.Open();
        }

        await collector._server.StartAsync();
        return collector;
    }

    public void Open() => _open.TrySetResult();

    /// <summary>Waits until a request stands at the gate or went through it.</summary>
    public Task EnteredAsync() => _entered.Task;

    /// <summary>The next spans of a trace, until they are so many, in the order of their names.</summary>
    public async Task<IReadOnlyList<Span>> SpansAsync(string traceId, int count)
    {
        var found = new List<Span>();
        while (found.Count < count)
        {
            var span = await _spans.Reader.ReadAsync();
            if (span.TraceId == traceId)
            {
                found.Add(span);
            }
        }

        return [.. found.OrderBy(span => span.Name, StringComparer.Ordinal)];
    }

    public async Task<Point> PointAsync(Func<Point, bool> isWanted)
    {
        while (true)
        {
            if (await _points.Reader.ReadAsync() is var point && isWanted(point))
            {
                return point;
            }
        }
    }

    public async Task<Line> LineAsync(Func<Line, bool> isWanted)
    {
        while (true)
        {
            if (await _lines.Reader.ReadAsync() is var line && isWanted(line))
            {
                return line;
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        Open();
        await _server.DisposeAsync();
    }

    private async Task TakeAsync(HttpContext context)
    {
        var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        _entered.TrySetResult();
        await _open.Task.WaitAsync(context.RequestAborted);
        var isGrpc = context.Request.ContentType == "application/grpc";
        Headers = context.Request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase);
        Keep(context.Request.Path.Value!, new Wire(isGrpc ? body.ToArray()[5..] : body.ToArray()));
        if (isGrpc)
        {
            context.Response.ContentType = "application/grpc";
            await context.Response.Body.WriteAsync(new byte[5]);
            context.Response.AppendTrailer("grpc-status", "0");
            return;
        }

        context.Response.ContentType = "application/x-protobuf";
        context.Response.ContentLength = 0;
    }

    private void Keep(string path, Wire message)
    {
        Resource = message.All(1, 1).First().Attributes(1);
        switch (path)
        {
            case "/v1/traces" or "/opentelemetry.proto.collector.trace.v1.TraceService/Export":
                foreach (var span in message.All(1, 2, 2))
                {
                    var status = span.All(15).Select(status => (int)status.Number(3)).FirstOrDefault();
                    var taken = new Span(span.Hex(1), span.Hex(2), span.Hex(4), span.Text(5), (int)span.Number(6), span.Attributes(9), status, span.Number(8) - span.Number(7));
                    Seen.Enqueue(taken);
                    _spans.Writer.TryWrite(taken);
                }

                break;
            case "/v1/metrics" or "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export":
                foreach (var metric in message.All(1, 2, 2))
                {
                    foreach (var point in metric.All(7).Concat(metric.All(5)).SelectMany(sum => sum.All(1)))
                    {
                        var value = point.Number(6) > 0 ? point.Number(6) : BitConverter.UInt64BitsToDouble(point.Number(4));
                        _points.Writer.TryWrite(new Point(metric.Text(1), point.Attributes(7), value));
                    }
                }

                break;
            default:
                foreach (var scope in message.All(1, 2))
                {
                    foreach (var line in scope.All(2))
                    {
                        _lines.Writer.TryWrite(new Line(line.All(5).First().Text(1), line.Hex(9), line.Attributes(6), scope.All(1).First().Text(1)));
                    }
                }

                break;
        }
    }
}
