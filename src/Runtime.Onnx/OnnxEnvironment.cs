using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;

namespace Runtime.Onnx;

/// <summary>ONNX Runtime's environment, one for the process: thread pools, logging, and no telemetry.</summary>
internal static partial class OnnxEnvironment
{
    private static readonly Lock Gate = new();

    /// <summary>Loads the native library and resolves its functions, which takes tens of milliseconds and needs no options.</summary>
    public static void Preload()
    {
        lock (Gate)
        {
            new OrtThreadingOptions().Dispose();
        }
    }

    /// <summary>Turns telemetry off. It changes the process's environment, which other threads must not read at that moment.</summary>
    public static void DisableTelemetry()
    {
        const string variable = "ORT_DISABLE_TELEMETRY";
        if (Environment.GetEnvironmentVariable(variable) == "1")
        {
            return;
        }

        Environment.SetEnvironmentVariable(variable, "1");
        if (!OperatingSystem.IsWindows())
        {
            // On Unix .NET keeps a copy of the environment of its own, which native code does not see.
            _ = SetNativeVariable(variable, "1", 1);
        }
    }

    /// <summary>Makes the environment with these options; does nothing when there is one.</summary>
    public static void Start(OnnxOptions options)
    {
        lock (Gate)
        {
            if (OrtEnv.IsCreated)
            {
                return;
            }

            NativeHeap.Bound();
            using var threads = new OrtThreadingOptions();
            threads.GlobalIntraOpNumThreads = options.IntraOpThreadCount;
            threads.GlobalInterOpNumThreads = options.InterOpThreadCount;
            threads.GlobalSpinControl = options.AllowSpinning;
            var creation = new EnvironmentCreationOptions
            {
                logId = "onnxruntime",
                logLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_WARNING,
                threadOptions = threads,
                loggingFunction = (_, severity, category, id, location, message) => options.Log?.Invoke($"{message} ({category}, {id}, {location})"),
            };
            OrtEnv.CreateInstanceWithOptions(ref creation);
        }
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SetNativeVariable(string name, string value, int overwrite);
}
