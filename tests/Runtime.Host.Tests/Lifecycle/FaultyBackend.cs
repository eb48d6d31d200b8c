using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Runtime.Backends;
using Runtime.Devices;
using Runtime.Inference;
using Runtime.Models;
using Runtime.Tensors;

namespace Runtime.Host.Tests.Lifecycle;

/// <summary>Repeats its input, as one answer or as a stream of its elements; some numbers do more.</summary>
internal sealed class FaultyBackend(string name, bool isStreaming = false) : IBackend, ILoadedModel
{
    /// <summary>An input that loses the device.</summary>
    public const int Fatal = 13;

    /// <summary>An input that stays until it is let go.</summary>
    public const int Held = 7;

    public const string Message = "the device is lost";

    private readonly SemaphoreSlim _held = new(0);
    private readonly SemaphoreSlim _open = new(0);

    public string Name => name;

    public ModelSignature? Signature => null;

    public Task HeldAsync() => _held.WaitAsync();

    public void Open() => _open.Release();

    public ILoadedModel Load(ModelConfig config, string versionDirectory) => this;

    public IDisposable CreateInstance(ModelConfig config, Device device) => isStreaming ? new Streaming() : new Instance(this);

    public void Dispose()
    {
    }

    private static void Check(ReadOnlySpan<int> values)
    {
        if (values.Contains(Fatal))
        {
            throw new InferenceException(new InferenceError(ErrorCode.Internal, Message) { IsPermanent = true });
        }
    }

    private static TensorSet Copy(Tensor x, long[] shape, ReadOnlySpan<int> values)
    {
        var outputs = new TensorSet();
        outputs.Rent("Y", x.Type, shape, values.Length * sizeof(int), out var memory);
        MemoryMarshal.AsBytes(values).CopyTo(memory.Span);
        return outputs;
    }

    private sealed class Instance(FaultyBackend backend) : IModelInstance
    {
        public TensorSet Execute(TensorSet inputs, CancellationToken cancellation)
        {
            var x = inputs.Find("X")!;
            var values = MemoryMarshal.Cast<byte, int>(x.Data.Span);
            if (values.Contains(Held))
            {
                backend._held.Release();
                backend._open.Wait(CancellationToken.None);
            }

            Check(values);
            return Copy(x, x.Shape, values);
        }

        public void Dispose()
        {
        }
    }

    private sealed class Streaming : IStreamingInstance
    {
        public async IAsyncEnumerable<TensorSet> ExecuteAsync(InferenceRequest request, [EnumeratorCancellation] CancellationToken cancellation)
        {
            var x = request.Inputs[0];
            for (var i = 0; i < x.ElementCount; i++)
            {
                await Task.Yield();
                var value = BitConverter.ToInt32(x.Data.Span[(i * sizeof(int))..]);
                Check([value]);
                yield return Copy(x, [1], [value]);
            }
        }

        public void Dispose()
        {
        }
    }
}
