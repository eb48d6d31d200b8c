using System.Text.Json;
using Runtime.Host.Tests.Grpc;

namespace Runtime.Host.Tests.Telemetry;

public sealed class OtlpTests
{
    private const string Caller = "00f067aa0ba902b7";

    [Theory]
    [InlineData("http/protobuf")]
    [InlineData("grpc")]
    public async Task Traces_HttpRequest_HaveTheCallersSpanForParent(string protocol)
    {
        await using var collector = await OtlpCollector.StartAsync();
        var trace = Trace(protocol == "grpc" ? 1 : 2);
        await using var host = await ObservedHost.StartAsync(null, [.. Endpoint(collector, protocol), ("OTEL_EXPORTER_OTLP_HEADERS", "tenant=blue"), ("OTEL_SERVICE_NAME", "shop"), ("NVCF_FUNCTION_ID", "f-1")]);

        await host.PostAsync("/v2/models/numbers/infer", ObservedHost.Body(7), ("traceparent", $"00-{trace}-{Caller}-01"), ("NVCF-REQID", "r-1"));

        var spans = await collector.SpansAsync(trace, 4);
        Assert.Equal(["POST /v2/models/{model}/infer", "compute", "infer numbers", "queue"], spans.Select(span => span.Name));
        var (server, compute, model, queue) = (spans[0], spans[1], spans[2], spans[3]);
        Assert.Equal((Caller, 2), (server.ParentId, server.Kind));
        Assert.Equal((server.Id, model.Id, model.Id), (model.ParentId, compute.ParentId, queue.ParentId));
        Assert.True(queue.Nanoseconds + compute.Nanoseconds <= server.Nanoseconds);
        Assert.Equal(("POST", "/v2/models/numbers/infer", 200L), (server.Attributes["http.request.method"], server.Attributes["url.path"], server.Attributes["http.response.status_code"]));
        Assert.Equal(("numbers", "r-1"), (server.Attributes["runtime.model.name"], server.Attributes["nvcf.reqid"]));
        Assert.Equal(("shop", "f-1"), (collector.Resource["service.name"], collector.Resource["nvcf.function.id"]));
        Assert.Equal("blue", collector.Headers["tenant"]);
        Assert.Equal(trace, (await host.RequestAsync()).GetProperty("trace_id").GetString());
    }

    [Fact]
    public async Task Traces_GrpcCall_HaveTheCallersSpanForParentAndTheStatus()
    {
        await using var collector = await OtlpCollector.StartAsync();
        var trace = Trace(3);
        await using var host = await ObservedHost.StartAsync(null, Endpoint(collector, "http/protobuf"));

        await host.Grpc.CallAsync(GrpcClient.Inference + "ModelInfer", TestRequests.Infer("none", 1), ("traceparent", $"00-{trace}-{Caller}-01"));

        var span = Assert.Single(await collector.SpansAsync(trace, 1));
        Assert.Equal(("inference.GRPCInferenceService/ModelInfer", Caller, 5L), (span.Name, span.ParentId, span.Attributes["rpc.grpc.status_code"]));
        Assert.Equal(("grpc", "ModelInfer"), (span.Attributes["rpc.system"], span.Attributes["rpc.method"]));
    }

    [Fact]
    public async Task Traces_FunctionAndEnsemble_HandTheTraceOn()
    {
        await using var collector = await OtlpCollector.StartAsync();
        var (function, ensemble) = (Trace(4), Trace(5));
        await using var host = await ObservedHost.StartAsync(null, Endpoint(collector, "http/protobuf"));

        var (_, body) = await host.PostAsync("/v2/models/caller/infer", ObservedHost.Body(7), ("traceparent", $"00-{function}-{Caller}-01"));
        await host.PostAsync("/v2/models/pipeline/infer", ObservedHost.Body(7), ("traceparent", $"00-{ensemble}-{Caller}-01"));

        Assert.Equal(function, JsonDocument.Parse(body).RootElement.GetProperty("outputs")[0].GetProperty("data")[0].GetString());
        var spans = await collector.SpansAsync(function, 7);
        Assert.Equal(spans.Single(span => span.Name == "infer caller").Id, spans.Single(span => span.Name == "infer numbers").ParentId);
        spans = await collector.SpansAsync(ensemble, 8);
        var whole = spans.Single(span => span.Name == "infer pipeline").Id;
        Assert.All(spans.Where(span => span.Name == "infer numbers"), step => Assert.Equal(whole, step.ParentId));
    }

    [Fact]
    public async Task Traces_Sampled_CallersDecisionWinsOverTheRatio()
    {
        await using var collector = await OtlpCollector.StartAsync();
        var (kept, dropped) = (Trace(6), Trace(7));
        await using var host = await ObservedHost.StartAsync(options => options with { TraceSampleRatio = "0" }, Endpoint(collector, "http/protobuf"));

        await host.PostAsync("/v2/models/numbers/infer", ObservedHost.Body(1), ("traceparent", $"00-{dropped}-{Caller}-00"));
        await host.PostAsync("/v2/models/numbers/infer", ObservedHost.Body(2));
        await host.PostAsync("/v2/models/numbers/infer", ObservedHost.Body(3), ("traceparent", $"00-{kept}-{Caller}-01"));

        // Spans leave in their order, so what came before would be here before.
        Assert.Equal(4, (await collector.SpansAsync(kept, 4)).Count);
        Assert.DoesNotContain(collector.Seen, span => span.TraceId == dropped);
    }

    [Fact]
    public async Task Metrics_Collected_AreTheModelsStatistics()
    {
        await using var collector = await OtlpCollector.StartAsync();
        await using var host = await ObservedHost.StartAsync(null, ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", collector.HttpAddress + "/v1/metrics"), ("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "http/protobuf"));

        await host.PostAsync("/v2/models/numbers/infer", ObservedHost.Body(1));
        await host.PostAsync("/v2/models/numbers/infer", "{}");

        var point = await collector.PointAsync(point => point is { Metric: "runtime.requests", Value: > 0 } && point.Attributes["runtime.model.name"] is "numbers");
        Assert.Equal((1.0, 1L), (point.Value, point.Attributes["runtime.model.version"]));
        await collector.PointAsync(point => point is { Metric: "runtime.compute.infer.time", Value: > 0 });
        await collector.PointAsync(point => point is { Metric: "dotnet.process.memory.working_set", Value: > 0 });
    }

    [Fact]
    public async Task Logs_RequestAndFunction_BelongToTheTrace()
    {
        await using var collector = await OtlpCollector.StartAsync();
        var trace = Trace(8);
        await using var host = await ObservedHost.StartAsync(null, Endpoint(collector, "http/protobuf"));

        await host.PostAsync("/v2/models/caller/infer", ObservedHost.Body(7), ("traceparent", $"00-{trace}-{Caller}-01"));

        var own = await collector.LineAsync(line => line.Text == "asking");
        Assert.Equal(trace, own.TraceId);
        var request = await collector.LineAsync(line => line.Category == "Runtime.Requests");
        Assert.Equal((trace, "caller", 200L), (request.TraceId, request.Attributes["model"], request.Attributes["status"]));
    }

    [Fact]
    public async Task Collector_Hangs_RequestsDoNot()
    {
        await using var collector = await OtlpCollector.StartAsync(isOpen: false);
        await using var host = await ObservedHost.StartAsync(null, Endpoint(collector, "http/protobuf"));
        await host.PostAsync("/v2/models/numbers/infer", ObservedHost.Body(0));
        await collector.EnteredAsync();

        // Far more spans than the exporter's queue holds.
        for (var i = 0; i < 1000; i++)
        {
            Assert.Equal(200, (await host.PostAsync("/v2/models/numbers/infer", ObservedHost.Body(i))).Status);
        }

        collector.Open();
    }

    private static (string Name, string Value)[] Endpoint(OtlpCollector collector, string protocol)
        => [("OTEL_EXPORTER_OTLP_PROTOCOL", protocol), ("OTEL_EXPORTER_OTLP_ENDPOINT", protocol == "grpc" ? collector.GrpcAddress : collector.HttpAddress)];

    private static string Trace(int number) => $"4bf92f3577b34da6a3ce929d0e0e{number:x4}";
}
