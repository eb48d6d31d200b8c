using System.Runtime.InteropServices;
using Runtime.Backends;
using Runtime.Devices;
using Runtime.Inference;
using Runtime.Models;
using Runtime.Tensors;

namespace Runtime.Tests.Models;

/// <summary>A loaded model whose instances run a function; its instances may be held back by a gate.</summary>
internal sealed class FunctionModel(Func<TensorSet, CancellationToken, TensorSet> function, bool runsOnAnyThread = false) : ILoadedModel
{
    public int Disposed;

    public ModelSignature? Signature => null;

    public IDisposable CreateInstance(ModelConfig config, Device device) => new Instance(function, runsOnAnyThread);

    public void Dispose() => Interlocked.Increment(ref Disposed);

    private sealed class Instance(Func<TensorSet, CancellationToken, TensorSet> function, bool runsOnAnyThread) : IModelInstance
    {
        private int _running;

        public bool RunsOnAnyThread => runsOnAnyThread;

        public TensorSet Execute(TensorSet inputs, CancellationToken cancellation)
        {
            Assert.Equal(1, Interlocked.Increment(ref _running));
            try
            {
                return function(inputs, cancellation);
            }
            finally
            {
                Interlocked.Decrement(ref _running);
            }
        }

        public void Dispose() => Assert.Equal(0, _running);
    }
}

/// <summary>Holds executions until the test lets them go.</summary>
internal sealed class Gate
{
    private readonly SemaphoreSlim _entered = new(0);
    private readonly SemaphoreSlim _open = new(0);

    /// <summary>Called by the function under test.</summary>
    public void Pass(CancellationToken cancellation = default)
    {
        _entered.Release();
        _open.Wait(cancellation);
    }

    /// <summary>Waits until an execution stands at the gate.</summary>
    public Task EnteredAsync() => _entered.WaitAsync();

    /// <summary>Lets so many executions through.</summary>
    public void Open(int count = 1) => _open.Release(count);
}

internal static class TestModels
{
    private static readonly Dictionary<string, string[]> NoLabels = [];

    /// <summary>A model of INT32 input X and output Y of those dims, that runs the function.</summary>
    public static Model Make(
        Func<TensorSet, CancellationToken, TensorSet> function, Action<Protocol.ModelConfig>? configure = null, TimeProvider? time = null, ModelLimits? limits = null, bool runsOnAnyThread = false)
        => new(Config(configure) with { Limits = limits ?? ModelLimits.Default }, 1, new FunctionModel(function, runsOnAnyThread), NoLabels, time ?? TimeProvider.System);

    public static ModelConfig Config(Action<Protocol.ModelConfig>? configure = null)
    {
        var message = new Protocol.ModelConfig { Name = "test", Backend = "test", MaxBatchSize = 8 };
        message.Input.Add(new Protocol.ModelInput { Name = "X", DataType = Protocol.DataType.TypeInt32, Dims = { -1 } });
        message.Output.Add(new Protocol.ModelOutput { Name = "Y", DataType = Protocol.DataType.TypeInt32, Dims = { -1 } });
        message.InstanceGroup.Add(new Protocol.ModelInstanceGroup { Count = 1, Kind = Protocol.ModelInstanceGroup.Types.Kind.Cpu });
        configure?.Invoke(message);
        return ModelConfig.From(message);
    }

    /// <summary>Y = X + 1.</summary>
    public static TensorSet AddOne(TensorSet inputs, CancellationToken cancellation)
    {
        var x = inputs.Find("X")!;
        var outputs = new TensorSet();
        outputs.Rent("Y", DataType.Int32, x.Shape, x.Data.Length, out var memory);
        var values = MemoryMarshal.Cast<byte, int>(memory.Span);
        MemoryMarshal.Cast<byte, int>(x.Data.Span).CopyTo(values);
        foreach (ref var value in values)
        {
            value++;
        }

        return outputs;
    }

    public static InferenceRequest Request(params int[] values) => Request([1, values.Length], values);

    public static InferenceRequest Request(long[] shape, int[] values, string name = "X")
    {
        var request = new InferenceRequest();
        AddInput(request, name, shape, values);
        return request;
    }

    public static void AddInput(InferenceRequest request, string name, long[] shape, params int[] values)
    {
        request.Inputs.Rent(name, DataType.Int32, shape, values.Length * 4, out var memory);
        MemoryMarshal.AsBytes<int>(values).CopyTo(memory.Span);
    }

    public static int[] Values(InferenceResponse response, string name = "Y") => MemoryMarshal.Cast<byte, int>(response.Outputs.Find(name)!.Data.Span).ToArray();

    public static void AssertValues(InferenceResponse response, params int[] expected) => Assert.Equal(expected, Values(response));
}
