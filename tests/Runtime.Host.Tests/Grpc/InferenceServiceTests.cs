using System.IO.Compression;
using Google.Protobuf;
using Runtime.Host.Grpc;
using Runtime.Protocol;

namespace Runtime.Host.Tests.Grpc;

public sealed class InferenceServiceTests
{
    private const string ModelInfer = GrpcClient.Inference + "ModelInfer";
    private const string ModelStreamInfer = GrpcClient.Inference + "ModelStreamInfer";

    [Theory]
    [InlineData(3)]
    [InlineData(100_000)]
    [InlineData(2_000_000)]
    public async Task ModelInfer_RawTensor_ComesBack(int count)
    {
        await using var host = await GrpcHost.StartAsync();
        var request = TestRequests.Infer("echo", [.. Enumerable.Range(0, count)]);
        request.Id = "id-7";

        var response = (await host.Client.CallAsync(ModelInfer, request)).Read(ModelInferResponse.Parser);

        Assert.Equal(("echo", "1", "id-7"), (response.ModelName, response.ModelVersion, response.Id));
        var output = Assert.Single(response.Outputs);
        Assert.Equal(("Y", "INT32"), (output.Name, output.Datatype));
        Assert.Equal([1, count], output.Shape);
        Assert.Equal(request.RawInputContents[0], Assert.Single(response.RawOutputContents));
    }

    [Theory]
    [InlineData("nosuch", (int)GrpcStatusCode.NotFound, "unknown model: 'nosuch'")]
    [InlineData("repeat", (int)GrpcStatusCode.Unimplemented, "decoupled")]
    public async Task ModelInfer_ModelThatCannot_Fails(string model, int status, string message)
    {
        await using var host = await GrpcHost.StartAsync();
        (await host.Client.CallAsync(ModelInfer, TestRequests.Infer(model, 1))).AssertFails((GrpcStatusCode)status, message);
    }

    [Fact]
    public async Task ModelInfer_WrongRequests_AreInvalidArguments()
    {
        await using var host = await GrpcHost.StartAsync();
        await RefusedAsync(request => request.RawInputContents.Clear(), "unable to find data for input tensor 'X' for model 'echo' in request.");
        await RefusedAsync(request => request.Inputs[0].Contents = new InferTensorContents(), "contents field must not be specified when using raw_input_contents for 'X'");
        await RefusedAsync(request => request.Inputs[0].Datatype = "INT33", "invalid datatype 'INT33' for input X");
        await RefusedAsync(request => request.Inputs[0].Shape[1] = 3, "Expected 12, got 8");
        await RefusedAsync(request => request.Inputs[0].Shape[1] = -2, "got [1,-2]");
        await RefusedAsync(request => request.Inputs[0].Name = "Z", "'Z'");
        await RefusedAsync(request => request.ModelVersion = "x", "version");
        await RefusedAsync(request => request.Parameters["priority"] = new InferParameter { StringParam = "x" }, "'priority'");
        await RefusedAsync(request => request.Parameters["a"] = new InferParameter(), "'a'");
        await RefusedAsync(request => request.Parameters["triton_x"] = new InferParameter { Int64Param = 1 }, "reserved");
        await RefusedAsync(request => request.Outputs.Add(new ModelInferRequest.Types.InferRequestedOutputTensor { Name = "N" }), "'N'");

        async Task RefusedAsync(Action<ModelInferRequest> change, string message)
        {
            var request = TestRequests.Infer("echo", 1, 2);
            change(request);
            (await host.Client.CallAsync(ModelInfer, request)).AssertFails(GrpcStatusCode.InvalidArgument, message);
        }
    }

    [Fact]
    public async Task ModelInfer_ResponseCompression_IsForClientsThatAcceptIt()
    {
        await using var host = await GrpcHost.StartAsync(options => options with { GrpcInferResponseCompressionLevel = "low" });
        var request = TestRequests.Infer("echo", new int[10_000]);

        Assert.Single((await host.Client.CallAsync(ModelInfer, request)).Read(ModelInferResponse.Parser).RawOutputContents);

        var frame = Assert.Single((await host.Client.CallAsync(ModelInfer, request, ("grpc-accept-encoding", "identity,gzip"))).Messages);
        Assert.Equal(1, frame[0]);
        Assert.InRange(frame.Length, 10, 1000);
        using var plain = new GZipStream(new MemoryStream(frame, 5, frame.Length - 5), CompressionMode.Decompress);
        Assert.Equal(request.RawInputContents[0], ModelInferResponse.Parser.ParseFrom(plain).RawOutputContents[0]);
    }

    [Fact]
    public async Task ModelStreamInfer_ManyRequests_AnswersInTheirOrder()
    {
        await using var host = await GrpcHost.StartAsync();
        var requests = Enumerable.Range(0, 200).Select(i => TestRequests.Infer("echo", i)).ToList();

        var answer = await StreamAsync(host, requests);

        Assert.Equal(GrpcStatusCode.Ok, answer.Status);
        var responses = answer.Messages.Select(ModelStreamInferResponse.Parser.ParseFrom).ToList();
        Assert.Equal(requests.Select(request => request.RawInputContents[0]), responses.Select(response => response.InferResponse.RawOutputContents[0]));
        Assert.All(responses, response => Assert.True(response.InferResponse.Parameters["triton_final_response"].BoolParam));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ModelStreamInfer_Decoupled_SendsAnEmptyFinalResponseWhereAsked(bool asked)
    {
        await using var host = await GrpcHost.StartAsync();
        var request = TestRequests.Repeat("r", 4, 5);
        request.Parameters["triton_enable_empty_final_response"] = new InferParameter { BoolParam = asked };

        var answer = await StreamAsync(host, [request]);

        var responses = answer.Messages.Select(ModelStreamInferResponse.Parser.ParseFrom).ToList();
        Assert.Equal([TestRequests.Bytes(4), TestRequests.Bytes(5)], responses.Take(2).Select(response => response.InferResponse.RawOutputContents[0].ToByteArray()));
        Assert.All(responses.Take(2), response => Assert.False(response.InferResponse.Parameters["triton_final_response"].BoolParam));
        var final = new ModelInferResponse { ModelName = "repeat", Id = "r", Parameters = { ["triton_final_response"] = new InferParameter { BoolParam = true } } };
        Assert.Equal(asked ? [final] : [], responses.Skip(2).Select(response => response.InferResponse));
    }

    [Fact]
    public async Task ModelThatDoesBoth_AnswersACallOnceAndAStreamPieceByPiece()
    {
        await using var host = await GrpcHost.StartAsync();
        var request = TestRequests.Infer("versatile", 4, 5);
        request.Inputs[0].Shape.Clear();
        request.Inputs[0].Shape.Add(2);

        var once = (await host.Client.CallAsync(ModelInfer, request)).Read(ModelInferResponse.Parser);
        request.Parameters["triton_enable_empty_final_response"] = new InferParameter { BoolParam = true };
        var stream = (await StreamAsync(host, [request])).Messages.Select(ModelStreamInferResponse.Parser.ParseFrom).ToList();

        Assert.Equal(request.RawInputContents[0], once.RawOutputContents[0]);
        Assert.Equal([TestRequests.Bytes(4), TestRequests.Bytes(5)], stream.Take(2).Select(response => response.InferResponse.RawOutputContents[0].ToByteArray()));
        Assert.True(Assert.Single(stream.Skip(2)).InferResponse.Parameters["triton_final_response"].BoolParam);
    }

    [Fact]
    public async Task ModelStreamInfer_FailedRequest_IsAMessageAndTheStreamGoesOn()
    {
        await using var host = await GrpcHost.StartAsync();
        var answer = await StreamAsync(host, [TestRequests.Infer("nosuch", 1), TestRequests.Infer("echo", 2)]);
        Assert.Equal(GrpcStatusCode.Ok, answer.Status);
        var responses = answer.Messages.Select(ModelStreamInferResponse.Parser.ParseFrom).ToList();
        Assert.Equal([true, false], responses.Select(response => response.ErrorMessage.Contains("'nosuch'", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task ModelStreamInfer_ErrorsAskedAsStatus_EndsTheStream()
    {
        await using var host = await GrpcHost.StartAsync();
        var body = Frames.Of(TestRequests.Infer("nosuch", 1).ToByteArray());
        (await host.Client.CallAsync(ModelStreamInfer, body, ("triton_grpc_error", "true"))).AssertFails(GrpcStatusCode.NotFound, "'nosuch'");
    }

    [Fact]
    public async Task ModelStreamInfer_DeadlineWithARequestInProgress_IsDeadlineExceeded()
    {
        await using var host = await GrpcHost.StartAsync();
        var body = Frames.Of(TestRequests.Infer("gate", 1).ToByteArray());
        (await host.Client.CallAsync(ModelStreamInfer, body, ("grpc-timeout", "20m"))).AssertFails(GrpcStatusCode.DeadlineExceeded, "Deadline");
    }

    [Fact]
    public async Task ModelMetadata_Model_HasClientShapes()
    {
        await using var host = await GrpcHost.StartAsync();
        var metadata = (await host.Client.CallAsync(GrpcClient.Inference + "ModelMetadata", new ModelMetadataRequest { Name = "echo" })).Read(ModelMetadataResponse.Parser);
        Assert.Equal((string[])["1"], metadata.Versions);
        Assert.Equal([-1, -1], Assert.Single(metadata.Inputs).Shape);
    }

    [Fact]
    public async Task RepositoryModelUnload_ThenLoad_ChangesReadiness()
    {
        await using var host = await GrpcHost.StartAsync();
        Assert.True(await IsReadyAsync());
        (await host.Client.CallAsync(GrpcClient.Inference + "RepositoryModelUnload", new RepositoryModelUnloadRequest { ModelName = "echo" })).Read(RepositoryModelUnloadResponse.Parser);
        Assert.False(await IsReadyAsync());
        (await host.Client.CallAsync(GrpcClient.Inference + "RepositoryModelLoad", new RepositoryModelLoadRequest { ModelName = "echo" })).Read(RepositoryModelLoadResponse.Parser);
        Assert.True(await IsReadyAsync());

        async Task<bool> IsReadyAsync()
            => (await host.Client.CallAsync(GrpcClient.Inference + "ModelReady", new ModelReadyRequest { Name = "echo" })).Read(ModelReadyResponse.Parser).Ready;
    }

    private static Task<GrpcAnswer> StreamAsync(GrpcHost host, IEnumerable<ModelInferRequest> requests)
        => host.Client.CallAsync(ModelStreamInfer, [.. requests.SelectMany(request => Frames.Of(request.ToByteArray()))]);
}
