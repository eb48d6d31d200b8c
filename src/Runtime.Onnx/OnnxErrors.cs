using Microsoft.ML.OnnxRuntime;
using Runtime.Inference;

namespace Runtime.Onnx;

/// <summary>Turns ONNX Runtime's exceptions into the errors that clients see, in the words of Triton's backend.</summary>
internal static class OnnxErrors
{
    private const string Prefix = "[ErrorCode:";

    // In the order of ONNX Runtime's numbers; its binding keeps the number to itself and writes the name into the message.
    private static readonly string[] Names =
    [
        "Ok", "Fail", "InvalidArgument", "NoSuchFile", "NoModel", "EngineError", "RuntimeException", "InvalidProtobuf", "ModelLoaded",
        "NotImplemented", "InvalidGraph", "ShapeInferenceNotRegistered", "RequirementNotRegistered",
    ];

    /// <summary>Why a file could not be loaded; paths in the text begin at the model's directory.</summary>
    public static InferenceException AtLoad(OnnxRuntimeException exception, string path, string shownPath)
        => new(new InferenceError(ErrorCode.Internal, Text(exception).Replace(path, shownPath, StringComparison.Ordinal)), exception);

    /// <summary>Why an execution failed: the request's data, but for engine and memory trouble.</summary>
    public static InferenceException AtRun(OnnxRuntimeException exception)
    {
        var isOurs = exception.Message.StartsWith(Prefix + "EngineError]", StringComparison.Ordinal)
            || exception.Message.Contains("Failed to allocate memory", StringComparison.Ordinal);
        return new(new InferenceError(isOurs ? ErrorCode.Internal : ErrorCode.InvalidArgument, Text(exception)), exception);
    }

    /// <summary>Whether an output turned out to have another shape than the memory bound for it.</summary>
    public static bool IsShapeMismatch(OnnxRuntimeException exception)
        => exception.Message.Contains("pre-allocated output OrtValues", StringComparison.Ordinal)
            || exception.Message.Contains("shape verification failed", StringComparison.Ordinal);

    private static string Text(OnnxRuntimeException exception)
    {
        var message = exception.Message;
        var end = message.IndexOf("] ", StringComparison.Ordinal);
        if (!message.StartsWith(Prefix, StringComparison.Ordinal) || end < 0)
        {
            return $"onnx runtime error: {message}";
        }

        var code = Array.IndexOf(Names, message[Prefix.Length..end]);
        return $"onnx runtime error {code}: {message[(end + 2)..]}";
    }
}
