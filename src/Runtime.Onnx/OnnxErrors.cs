using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.ML.OnnxRuntime;
using Runtime.Devices;
using Runtime.Inference;

namespace Runtime.Onnx;

/// <summary>Turns ONNX Runtime's exceptions into the errors that clients see, in the words of Triton's backend.</summary>
internal static partial class OnnxErrors
{
    private const string Prefix = "[ErrorCode:";

    // In the order of ONNX Runtime's numbers; its binding keeps the number to itself and writes the name into the message.
    private static readonly string[] Names =
    [
        "Ok", "Fail", "InvalidArgument", "NoSuchFile", "NoModel", "EngineError", "RuntimeException", "InvalidProtobuf", "ModelLoaded",
        "NotImplemented", "InvalidGraph", "ShapeInferenceNotRegistered", "RequirementNotRegistered",
    ];

    private static readonly string[] OurTrouble = ["Failed to allocate memory", "CUDA failure ", "CUDNN failure ", "CUBLAS failure "];

    // The GPU's programs themselves failed, as CUDA's own numbers of that sort say.
    private static readonly string[] LostStatus = ["CUDNN_STATUS_EXECUTION_FAILED", "CUBLAS_STATUS_EXECUTION_FAILED"];

    /// <summary>Why a file could not be loaded; paths in the text begin at the model's directory.</summary>
    public static InferenceException AtLoad(OnnxRuntimeException exception, string path, string shownPath)
        => new(new InferenceError(ErrorCode.Internal, Text(exception.Message).Replace(path, shownPath, StringComparison.Ordinal)), exception);

    /// <summary>Why an execution failed: the request's data, but for engine, memory and GPU trouble.</summary>
    public static InferenceException AtRun(OnnxRuntimeException exception) => new(AtRun(exception.Message), exception);

    /// <inheritdoc cref="AtRun(OnnxRuntimeException)"/>
    public static InferenceError AtRun(string message)
    {
        var isOurs = message.StartsWith(Prefix + "EngineError]", StringComparison.Ordinal) || Array.Exists(OurTrouble, message.Contains);
        var error = new InferenceError(isOurs ? ErrorCode.Internal : ErrorCode.InvalidArgument, Text(message));
        return IsGpuLost(message) ? error with { Code = ErrorCode.Internal, IsPermanent = true } : error;
    }

    /// <summary>What ONNX Runtime says, as part of a sentence.</summary>
    public static string Reason(OnnxRuntimeException exception)
    {
        var message = exception.Message;
        return message.StartsWith(Prefix, StringComparison.Ordinal) ? message[(message.IndexOf(']', StringComparison.Ordinal) + 1)..].Trim() : message;
    }

    /// <summary>Whether an output turned out to have another shape than the memory bound for it.</summary>
    public static bool IsShapeMismatch(OnnxRuntimeException exception)
        => exception.Message.Contains("pre-allocated output OrtValues", StringComparison.Ordinal)
            || exception.Message.Contains("shape verification failed", StringComparison.Ordinal)
            || exception.Message.Contains("Tensor size mismatch", StringComparison.Ordinal); // of an output that is copied from a GPU

    private static bool IsGpuLost(string message)
        => (CudaFailure().Match(message) is { Success: true } failure && CudaErrors.IsSticky(int.Parse(failure.Groups[1].ValueSpan, CultureInfo.InvariantCulture)))
            || CudaErrors.NamesSticky(message)
            || Array.Exists(LostStatus, message.Contains);

    [GeneratedRegex(@"CUDA failure (\d{1,6}):")]
    private static partial Regex CudaFailure();

    private static string Text(string message)
    {
        var end = message.IndexOf("] ", StringComparison.Ordinal);
        if (!message.StartsWith(Prefix, StringComparison.Ordinal) || end < 0)
        {
            return $"onnx runtime error: {message}";
        }

        var code = Array.IndexOf(Names, message[Prefix.Length..end]);
        return $"onnx runtime error {code}: {message[(end + 2)..]}";
    }
}
