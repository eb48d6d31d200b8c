using System.Runtime.InteropServices;
using Runtime.Inference;
using Runtime.Torch.Interop;

namespace Runtime.Torch;

/// <summary>Turns what the library reports into the errors that clients see.</summary>
internal static unsafe class TorchErrors
{
    /// <summary>Returns if the call succeeded.</summary>
    /// <exception cref="InferenceException">It failed; the message is the prefix and the library's text.</exception>
    public static void Check(NativeCode code, NativeError* error, string prefix)
    {
        if (code != NativeCode.Ok)
        {
            throw From(code, prefix + Text(error));
        }
    }

    /// <summary>The library's text.</summary>
    public static string Text(NativeError* error) => Marshal.PtrToStringUTF8((nint)error->Message)!;

    public static InferenceException From(NativeCode code, string message) => new(new InferenceError(
        code switch
        {
            NativeCode.Invalid or NativeCode.NotFound => ErrorCode.InvalidArgument,
            NativeCode.Unsupported => ErrorCode.Unsupported,
            _ => ErrorCode.Internal,
        },
        message)
    {
        IsPermanent = code == NativeCode.DeviceLost,
    });
}
