using System.Collections.Concurrent;
using Runtime.Backends;
using Runtime.Devices;
using Runtime.Models;
using Runtime.Tensors;

namespace Runtime.Host.Tests.SharedMemory;

/// <summary>Repeats X as Y on a GPU: takes what lies there in place, and leaves its output there where it may.</summary>
internal sealed class CudaEchoBackend(CudaDevice device) : IBackend, ILoadedModel, IModelInstance
{
    public string Name => "cuda_echo";

    public ModelSignature? Signature => null;

    /// <summary>Where input and output of each execution were.</summary>
    public ConcurrentQueue<string> Executions { get; } = [];

    public ILoadedModel Load(ModelConfig config, string versionDirectory) => this;

    public IDisposable CreateInstance(ModelConfig config, Device place) => this;

    public TensorSet Execute(TensorSet inputs, CancellationToken cancellation)
    {
        var x = inputs[0];
        var source = DeviceMemory.TryGet(x.Data, out var start, out var length);
        Executions.Enqueue($"{(source is null ? "host" : source.Device)} to {(inputs.AllowsDeviceOutputs ? device.Device : "host")}");
        var outputs = new TensorSet();
        if (inputs.AllowsDeviceOutputs && source is not null)
        {
            var made = device.Allocate(length);
            device.Join([(source.Address + start, length)], made.Address);
            outputs.Add(new Tensor("Y", x.Type, x.Shape, made.Memory), made);
        }
        else
        {
            outputs.Rent("Y", x.Type, x.Shape, x.Data.Length, out var memory);
            x.Data.CopyTo(memory);
        }

        return outputs;
    }

    public void Dispose()
    {
    }
}
