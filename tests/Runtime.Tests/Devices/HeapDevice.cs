using System.Buffers;
using System.Runtime.InteropServices;
using Runtime.Backends;
using Runtime.Devices;
using Runtime.Inference;
using Runtime.Models;
using Runtime.Tensors;

namespace Runtime.Tests.Devices;

/// <summary>A device whose memory is an array of the heap; it can be told to be broken, and then no copy can be made any more.</summary>
internal sealed class HeapDevice(int number)
{
    public int HostCopies;
    public int Joins;
    public int Living;

    public bool IsBroken { get; set; }

    public Block Allocate(byte[] bytes)
    {
        Interlocked.Increment(ref Living);
        return new Block(this, bytes);
    }

    public sealed class Block(HeapDevice device, byte[] bytes) : DeviceMemory
    {
        private byte[]? _copy;
        private int _isDisposed;

        public override Device Device { get; } = new(device.Number);

        public override nint Address => 0;

        public override int Length => bytes.Length;

        public byte[] Bytes => bytes;

        public override void CopyToHost()
        {
            if (device.IsBroken)
            {
                throw new InferenceException(ErrorCode.Internal, $"{Device} is broken");
            }

            if (_copy is null)
            {
                _copy = [.. bytes];
                Interlocked.Increment(ref device.HostCopies);
            }
        }

        public override DeviceMemory? Join(IReadOnlyList<ReadOnlyMemory<byte>> parts)
        {
            Interlocked.Increment(ref device.Joins);
            return device.Allocate([.. parts.SelectMany(part => ((Block)TryGet(part, out var start, out var length)!).Bytes[start..(start + length)])]);
        }

        public override Span<byte> GetSpan()
        {
            CopyToHost();
            return _copy;
        }

        public override MemoryHandle Pin(int elementIndex = 0) => throw new NotSupportedException();

        public override void Unpin()
        {
        }

        protected override void Dispose(bool disposing)
        {
            if (Interlocked.Exchange(ref _isDisposed, 1) == 0)
            {
                Interlocked.Decrement(ref device.Living);
            }
        }
    }

    private int Number => number;
}

/// <summary>Adds 1 on a device: outputs stay there where they may, and inputs that lie there are not copied.</summary>
internal sealed class HeapDeviceBackend(HeapDevice device) : IBackend, ILoadedModel, IModelInstance
{
    public string Name => "device";

    public bool NeedsFiles => false;

    public ModelSignature? Signature => null;

    public List<string> Executions { get; } = [];

    public ILoadedModel Load(ModelConfig config, string versionDirectory) => this;

    public IDisposable CreateInstance(ModelConfig config, Device device) => this;

    public TensorSet Execute(TensorSet inputs, CancellationToken cancellation)
    {
        var x = inputs.Find("X")!;
        var memory = DeviceMemory.TryGet(x.Data, out var start, out var length);
        lock (Executions)
        {
            Executions.Add($"{(memory is null ? "host" : memory.Device)} to {(inputs.AllowsDeviceOutputs ? "device" : "host")}");
        }

        var bytes = memory is HeapDevice.Block block ? block.Bytes[start..(start + length)] : x.Data.ToArray();
        foreach (ref var value in MemoryMarshal.Cast<byte, int>(bytes.AsSpan()))
        {
            value++;
        }

        var outputs = new TensorSet();
        if (inputs.AllowsDeviceOutputs)
        {
            var made = device.Allocate(bytes);
            outputs.Add(new Tensor("Y", x.Type, x.Shape, made.Memory), made);
        }
        else
        {
            outputs.Rent("Y", x.Type, x.Shape, bytes.Length, out var target);
            bytes.CopyTo(target);
        }

        return outputs;
    }

    public void Dispose()
    {
    }
}
