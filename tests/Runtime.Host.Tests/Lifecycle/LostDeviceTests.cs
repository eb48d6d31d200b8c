using System.Net;
using System.Text;
using Runtime.Host.Grpc;
using Runtime.Host.Tests.Concurrency;
using Runtime.Host.Tests.Grpc;
using Runtime.Protocol;

namespace Runtime.Host.Tests.Lifecycle;

/// <summary>An execution that fails for good, wherever it happens, ends the host: not ready at once, the answer out, exit code 1 after the drain.</summary>
public sealed class LostDeviceTests
{
    private static readonly (string, string)[] Models =
    [
        ("held", "backend: 'faulty'"),
        ("plain", "backend: 'faulty'"),
        ("batched", "backend: 'faulty' max_batch_size: 8 dynamic_batching { preferred_batch_size: 2 max_queue_delay_microseconds: 60000000 } parameters { key: 'retry_failed_batch' value { string_value: 'true' } }"),
        ("sequence", "backend: 'faulty' sequence_batching { }"),
        ("stream", "backend: 'streaming' model_transaction_policy { decoupled: true }"),
        ("ensemble", "platform: 'ensemble' input { name: 'X' data_type: TYPE_INT32 dims: -1 } output { name: 'Y' data_type: TYPE_INT32 dims: -1 } "
            + "ensemble_scheduling { step { model_name: 'plain' model_version: -1 input_map { key: 'X' value: 'X' } output_map { key: 'Y' value: 'Y' } } }"),
    ];

    private readonly FaultyBackend _backend = new("faulty");

    [Theory]
    [InlineData("plain", Protocols.Http)]
    [InlineData("plain", Protocols.Grpc)]
    [InlineData("batched", Protocols.Http)]
    [InlineData("batched", Protocols.Grpc)]
    [InlineData("sequence", Protocols.Http)]
    [InlineData("sequence", Protocols.Grpc)]
    [InlineData("stream", Protocols.Http)]
    [InlineData("stream", Protocols.Grpc)]
    [InlineData("ensemble", Protocols.Http)]
    [InlineData("ensemble", Protocols.Grpc)]
    public async Task Execution_FailsForGood_EndsTheHost(string model, Protocols protocol)
    {
        await using var host = await StartAsync();
        var held = InferAsync(host, protocol, "held", FaultyBackend.Held);
        await _backend.HeldAsync();

        // The batch is one of two, whose members fail together.
        var values = model == "batched" ? new[] { FaultyBackend.Fatal, 1 } : [FaultyBackend.Fatal];
        var answers = await Task.WhenAll(values.Select(value => InferAsync(host, protocol, model, value)));

        Assert.All(answers, answer => Assert.Contains(FaultyBackend.Message, answer, StringComparison.Ordinal));
        await AssertEndsAsync(host, held);
    }

    [Theory]
    [InlineData(Protocols.Http)]
    [InlineData(Protocols.Grpc)]
    public async Task WarmUp_FailsForGood_EndsTheHost(Protocols protocol)
    {
        await using var host = await StartAsync();
        var held = InferAsync(host, protocol, "held", FaultyBackend.Held);
        await _backend.HeldAsync();
        host.Write("warmed", "backend: 'faulty' model_warmup { name: 'w' inputs { key: 'X' value { data_type: TYPE_INT32 dims: 1 input_data_file: 'fatal' } } }");
        var warmup = Path.Combine(host.Directory, "warmed", "warmup");
        Directory.CreateDirectory(warmup);
        await File.WriteAllBytesAsync(Path.Combine(warmup, "fatal"), BitConverter.GetBytes(FaultyBackend.Fatal));

        if (protocol == Protocols.Http)
        {
            var answer = await ReadAsync(await host.Http.PostAsync(new Uri("/v2/repository/models/warmed/load", UriKind.Relative), null));
            Assert.Contains(FaultyBackend.Message, answer, StringComparison.Ordinal);
        }
        else
        {
            var answer = await host.Grpc.CallAsync(GrpcClient.Inference + "RepositoryModelLoad", new RepositoryModelLoadRequest { ModelName = "warmed" });
            answer.AssertFails(GrpcStatusCode.Internal, FaultyBackend.Message);
        }

        await AssertEndsAsync(host, held);
    }

    [Fact]
    public async Task Execution_FailsForGoodAfterItsClientsLeft_EndsTheHost()
    {
        await using var host = await StartAsync();
        using var leaving = new CancellationTokenSource();
        Assert.Null(host.Models.TryAcquire("batched", "", out var lease));
        using (lease)
        using (var first = Request(FaultyBackend.Held, FaultyBackend.Fatal))
        using (var second = Request(1, 1))
        {
            var answers = new[] { lease.Model.InferAsync(first, leaving.Token).AsTask(), lease.Model.InferAsync(second, leaving.Token).AsTask() };
            await _backend.HeldAsync();
            await leaving.CancelAsync();
            foreach (var answer in answers)
            {
                using var cancelled = await answer;
                Assert.Equal(Runtime.Inference.ErrorCode.Cancelled, cancelled.Error?.Code);
            }

            Assert.True(host.State.IsLive);
            _backend.Open();
        }

        Assert.Equal(1, await host.ExitCode);
        Assert.Contains(FaultyBackend.Message, await host.State.Broken, StringComparison.Ordinal);
    }

    private Task<RunningHost> StartAsync() => RunningHost.StartAsync([_backend, new FaultyBackend("streaming", isStreaming: true)], Models);

    private async Task AssertEndsAsync(RunningHost host, Task<string> held)
    {
        Assert.Equal((false, false, false), await host.ReadyAsync());
        Assert.False(host.ExitCode.IsCompleted); // what is in flight may finish
        _backend.Open();
        Assert.Equal("", await held);
        Assert.Equal(1, await host.ExitCode);
    }

    private static Runtime.Inference.InferenceRequest Request(params int[] values)
    {
        var request = new Runtime.Inference.InferenceRequest();
        request.Inputs.Rent("X", Runtime.Tensors.DataType.Int32, [1, values.Length], values.Length * sizeof(int), out var memory);
        TestRequests.Bytes(values).CopyTo(memory);
        return request;
    }

    /// <summary>The error's text; empty for an answer.</summary>
    private static async Task<string> InferAsync(RunningHost host, Protocols protocol, string model, int value)
    {
        if (protocol == Protocols.Http)
        {
            var shape = model == "batched" ? "[1,1]" : "[1]";
            var parameters = model == "sequence" ? "\"parameters\":{\"sequence_id\":1,\"sequence_start\":true}," : "";
            using var request = new HttpRequestMessage(HttpMethod.Post, $"/v2/models/{model}/infer");
            request.Content = new StringContent($$"""{{{parameters}}"inputs":[{"name":"X","shape":{{shape}},"datatype":"INT32","data":[{{value}}]}]}""", Encoding.UTF8, "application/json");
            request.Headers.TryAddWithoutValidation("Accept", model == "stream" ? "text/event-stream" : "application/json");
            return await ReadAsync(await host.Http.SendAsync(request));
        }

        var message = TestRequests.Infer(model, value);
        if (model != "batched")
        {
            message.Inputs[0].Shape.RemoveAt(0);
        }

        if (model == "sequence")
        {
            message.Parameters["sequence_id"] = new InferParameter { Int64Param = 1 };
            message.Parameters["sequence_start"] = new InferParameter { BoolParam = true };
        }

        if (model == "stream")
        {
            return (await host.Grpc.CallAsync(GrpcClient.Inference + "ModelStreamInfer", message)).Read(ModelStreamInferResponse.Parser).ErrorMessage;
        }

        var answer = await host.Grpc.CallAsync(GrpcClient.Inference + "ModelInfer", message);
        Assert.True(answer.Status is GrpcStatusCode.Ok or GrpcStatusCode.Internal, $"{answer.Status}: {answer.Message}");
        return answer.Message;
    }

    private static async Task<string> ReadAsync(HttpResponseMessage response)
    {
        using (response)
        {
            Assert.True(response.StatusCode is HttpStatusCode.OK or HttpStatusCode.InternalServerError, $"{response.StatusCode}");
            return response.IsSuccessStatusCode ? "" : await response.Content.ReadAsStringAsync();
        }
    }
}
