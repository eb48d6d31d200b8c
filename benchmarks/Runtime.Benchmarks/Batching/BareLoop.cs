using System.Diagnostics;
using Microsoft.ML.OnnxRuntime;

namespace Runtime.Benchmarks.Batching;

/// <summary>ONNX Runtime alone, on preallocated memory and the threads that the backend's sessions share too.</summary>
internal sealed class BareLoop : IDisposable
{
    /// <summary>Elements of one row of the model <c>cnn</c>.</summary>
    public const int Elements = 1024;

    private const int Classes = 10;

    private readonly RunOptions _run = new();
    private readonly InferenceSession _session;
    private readonly OrtIoBinding _binding;
    private readonly OrtValue _input;
    private readonly OrtValue _output;
    private readonly int _batchSize;

    public BareLoop(string path, int batchSize)
    {
        using var options = new SessionOptions();
        options.DisablePerSessionThreads();
        _batchSize = batchSize;
        _session = new InferenceSession(path, options);
        _input = OrtValue.CreateAllocatedTensorValue(OrtAllocator.DefaultInstance, Microsoft.ML.OnnxRuntime.Tensors.TensorElementType.Float, [batchSize, 1, 32, 32]);
        _output = OrtValue.CreateAllocatedTensorValue(OrtAllocator.DefaultInstance, Microsoft.ML.OnnxRuntime.Tensors.TensorElementType.Float, [batchSize, Classes]);
        _input.GetTensorMutableDataAsSpan<float>().Clear();
        _binding = _session.CreateIoBinding();
        _binding.BindInput("X", _input);
        _binding.BindOutput("Y", _output);
    }

    /// <summary>Rows a second.</summary>
    public double Run(TimeSpan length)
    {
        var start = Stopwatch.GetTimestamp();
        long rows = 0;
        do
        {
            _session.RunWithBinding(_run, _binding);
            rows += _batchSize;
        }
        while (Stopwatch.GetElapsedTime(start) < length);
        return rows / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    public void Dispose()
    {
        _binding.Dispose();
        _input.Dispose();
        _output.Dispose();
        _session.Dispose();
        _run.Dispose();
    }
}
