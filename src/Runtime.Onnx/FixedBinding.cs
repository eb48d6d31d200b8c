using System.Buffers;
using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using Runtime.Devices;
using Runtime.Tensors;

namespace Runtime.Onnx;

/// <summary>
/// Small inputs of one set of shapes and their outputs, bound once to memory of its own: an execution copies in, runs and
/// copies out. That costs less than binding other memory each time, which allocates. On a GPU the inputs are bound to memory
/// there and copied to it before each run, as ONNX Runtime copies what lies elsewhere when it is bound, and then only.
/// </summary>
internal sealed unsafe class FixedBinding : IDisposable
{
    /// <summary>Bytes beyond which copying costs more than binding.</summary>
    public const int LargestTensor = 64 << 10;

    private const int LargestBlock = 1 << 20;
    private const int Alignment = 256; // as ONNX Runtime's memory on GPUs is aligned; on the CPU 64 would do

    private readonly InferenceSession _session;
    private readonly OrtIoBinding _binding;
    private readonly Slot[] _inputs;
    private readonly Slot[] _outputs;
    private readonly byte* _block;
    private readonly IMemoryOwner<byte>? _owner;
    private readonly SessionDevice _device;
    private readonly int _inputLength;
    private CudaMemory? _inputsOnGpu;
    private readonly MemoryHandle _pin;

    private FixedBinding(InferenceSession session, SessionDevice device, Slot[] inputs, Slot[] outputs)
    {
        (_session, _device, _inputs, _outputs) = (session, device, inputs, outputs);
        var last = outputs.Length > 0 ? outputs[^1] : inputs[^1];
        var length = last.Offset + Padded(last.Length);
        _owner = device.HostMemory?.Rent(length);
        _pin = _owner?.Memory.Pin() ?? default;
        _block = (byte*)(_owner is null ? NativeMemory.AlignedAlloc((nuint)length, Alignment) : _pin.Pointer);
        _inputLength = inputs.Length > 0 ? inputs[^1].Offset + inputs[^1].Length : 0;
        _binding = session.CreateIoBinding();
    }

    /// <summary>A binding for inputs of these shapes; null where something is too large for it or has no fixed size.</summary>
    public static FixedBinding? TryCreate(InferenceSession session, SessionDevice device, TensorSet inputs, InputRules rules, BoundTensor[] outputs)
    {
        var offset = 0;
        if (inputs.Count + outputs.Length == 0)
        {
            return null;
        }

        var inputSlots = new Slot[inputs.Count];
        for (var i = 0; i < inputSlots.Length; i++)
        {
            var bound = new BoundTensor(rules[inputs[i].Name], rules.ShapeOf(inputs[i]), inputs[i].Shape);
            if (!TryPlace(bound, ref offset, out inputSlots[i]))
            {
                return null;
            }
        }

        var outputSlots = new Slot[outputs.Length];
        for (var i = 0; i < outputSlots.Length; i++)
        {
            if (!TryPlace(outputs[i], ref offset, out outputSlots[i]))
            {
                return null;
            }
        }

        var binding = new FixedBinding(session, device, inputSlots, outputSlots);
        try
        {
            binding.Bind();
            return binding;
        }
        catch
        {
            binding.Dispose();
            throw;
        }
    }

    /// <summary>Whether these inputs have the names, order, types, shapes and sizes of this binding.</summary>
    public bool Fits(TensorSet inputs)
    {
        if (inputs.Count != _inputs.Length)
        {
            return false;
        }

        for (var i = 0; i < _inputs.Length; i++)
        {
            var input = inputs[i];
            ref readonly var slot = ref _inputs[i];
            if (input.Data.Length != slot.Length || !slot.Bound.Fits(input))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Executes inputs that fit.</summary>
    public TensorSet Run(TensorSet inputs, RunOptions options)
    {
        for (var i = 0; i < _inputs.Length; i++)
        {
            inputs[i].Data.Span.CopyTo(Bytes(_inputs[i]));
        }

        if (_inputsOnGpu is not null)
        {
            _device.Gpu!.CopyToDevice(new Span<byte>(_block, _inputLength), _inputsOnGpu.Address);
        }

        _session.RunWithBinding(options, _binding);
        var outputs = new TensorSet(capacity: _outputs.Length);
        foreach (ref readonly var slot in _outputs.AsSpan())
        {
            outputs.Rent(slot.Bound.Tensor.Name, slot.Bound.Tensor.Type, slot.Bound.Shape, slot.Length, out var memory);
            Bytes(slot).CopyTo(memory.Span);
        }

        return outputs;
    }

    public void Dispose()
    {
        _binding.Dispose();
        ((IDisposable?)_inputsOnGpu)?.Dispose();
        if (_owner is null)
        {
            NativeMemory.AlignedFree(_block);
            return;
        }

        _pin.Dispose();
        _owner.Dispose();
    }

    private static bool TryPlace(BoundTensor tensor, ref int offset, out Slot slot)
    {
        var size = Shapes.ByteSize(tensor.Tensor.Type, tensor.BoundShape);
        slot = new Slot(tensor, offset, (int)size);
        if (size is < 0 or > LargestTensor || tensor.Tensor.Type == DataType.Bytes)
        {
            return false;
        }

        offset += Padded((int)size);
        return offset <= LargestBlock;
    }

    private static int Padded(int length) => (Math.Max(length, 1) + Alignment - 1) & -Alignment;

    private void Bind()
    {
        _inputsOnGpu = _inputLength > 0 ? _device.Gpu?.Allocate(_inputLength) : null;
        foreach (var slot in _inputs)
        {
            using var value = _inputsOnGpu is null ? Value(slot) : ValueOnGpu(slot, _inputsOnGpu);
            _binding.BindInput(slot.Bound.Tensor.Name, value);
        }

        foreach (var slot in _outputs)
        {
            using var value = Value(slot);
            _binding.BindOutput(slot.Bound.Tensor.Name, value);
        }
    }

    private OrtValue Value(Slot slot) => OrtValue.CreateTensorValueWithData(
        OrtMemoryInfo.DefaultInstance, slot.Bound.Tensor.ElementType, slot.Bound.BoundShape, (nint)(_block + slot.Offset), slot.Length);

    private OrtValue ValueOnGpu(Slot slot, CudaMemory inputs) => OrtValue.CreateTensorValueWithData(
        _device.Memory!, slot.Bound.Tensor.ElementType, slot.Bound.BoundShape, inputs.Address + slot.Offset, slot.Length);

    private Span<byte> Bytes(in Slot slot) => new(_block + slot.Offset, slot.Length);

    private readonly record struct Slot(BoundTensor Bound, int Offset, int Length);
}
