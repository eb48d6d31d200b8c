using System.Runtime.InteropServices;
using Google.Protobuf;
using Runtime.Protocol;

namespace Runtime.Host.Tests.Grpc;

internal static class TestRequests
{
    /// <summary>One row of INT32 for the input X.</summary>
    public static ModelInferRequest Infer(string model, params int[] values) => new()
    {
        ModelName = model,
        Inputs = { new ModelInferRequest.Types.InferInputTensor { Name = "X", Datatype = "INT32", Shape = { 1, values.Length } } },
        RawInputContents = { ByteString.CopyFrom(Bytes(values)) },
    };

    /// <summary>A request of the model <c>repeat</c>: a response for every value.</summary>
    public static ModelInferRequest Repeat(string id, params int[] values) => new()
    {
        ModelName = "repeat",
        Id = id,
        Inputs =
        {
            new ModelInferRequest.Types.InferInputTensor { Name = "IN", Datatype = "INT32", Shape = { values.Length } },
            new ModelInferRequest.Types.InferInputTensor { Name = "DELAY", Datatype = "UINT32", Shape = { values.Length } },
            new ModelInferRequest.Types.InferInputTensor { Name = "WAIT", Datatype = "UINT32", Shape = { 1 } },
        },
        RawInputContents = { ByteString.CopyFrom(Bytes(values)), ByteString.CopyFrom(new byte[4 * values.Length]), ByteString.CopyFrom(new byte[4]) },
    };

    public static byte[] Bytes(params int[] values) => MemoryMarshal.AsBytes<int>(values).ToArray();
}
