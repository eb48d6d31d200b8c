using Runtime.Host.Http;

namespace Runtime.Host.Grpc;

/// <summary>ModelInfer: one request, one response, without a generated message between the wire and the tensors.</summary>
internal sealed class ModelInferMethod(InferCalls calls) : GrpcMethod(InferenceService.Name, "ModelInfer", ApiGroup.Inference)
{
    public override bool IsInference => true;

    public override async ValueTask<GrpcStatus> InvokeAsync(GrpcCall call)
    {
        // 1. The frame becomes a request while the pipe still holds it.
        if (!await calls.ReadAsync(call, call.Cancellation))
        {
            throw NoMessage();
        }

        var message = default(InferMessage)!;
        call.Record?.BytesIn = call.Reader.Message.Length;
        using var infer = calls.Start(call.Reader.Message, ref message, call, allowDecoupled: false, call.Record);
        call.Record?.Begin(infer.Request, infer.Model);
        await ReadEndAsync(call);
        await call.FillAssetsAsync(call.Cancellation);

        // 2. The model answers.
        using var response = await infer.Model.InferAsync(infer.Request, call.Cancellation);
        if ((response.Error ?? calls.TryPlace(infer, response)) is { } error)
        {
            call.Record?.Fail(error);
            return GrpcErrors.Status(error);
        }

        // 3. The response leaves as the tensors' own bytes.
        call.Nvcf?.Close(keepsFiles: true);
        var compression = call.StartCompression();
        await call.Writer.WriteAsync(InferReply.From(response, infer.Placements), compression, call.Cancellation);
        return GrpcStatus.Ok;
    }
}
