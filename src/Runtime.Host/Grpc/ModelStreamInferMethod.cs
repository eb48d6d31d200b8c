using Runtime.Host.Http;

namespace Runtime.Host.Grpc;

/// <summary>
/// ModelStreamInfer: requests of one stream run at the same time. Responses of models that give exactly one leave in the
/// order of their requests, as Triton's do; those of decoupled models leave when they come.
/// </summary>
internal sealed class ModelStreamInferMethod(InferCalls calls) : GrpcMethod(InferenceService.Name, "ModelStreamInfer", ApiGroup.Inference)
{
    /// <summary>The metadata that makes a failed request end the stream with its status.</summary>
    private const string ErrorsEndStream = "triton_grpc_error";

    public override bool IsInference => true;

    public override async ValueTask<GrpcStatus> InvokeAsync(GrpcCall call)
    {
        using var stream = new InferStream(call, calls, string.Equals(call.Header(ErrorsEndStream), "true", StringComparison.OrdinalIgnoreCase));
        return await stream.RunAsync();
    }
}
