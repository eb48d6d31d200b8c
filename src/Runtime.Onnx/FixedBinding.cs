using System.Buffers;
using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using Runtime.Tensors;

namespace Runtime.Onnx;

/// <summary>
/// Small inputs of one set of shapes and their outputs, bound once to memory of its own: an execution copies in, runs and
/// copies out. That costs less than binding other memory each time, which allocates. For a GPU that memory is page-locked.
/// </summary>
internal sealed unsafe class FixedBinding : IDisposable
{
    /// <summary>Bytes beyond which copying costs more than binding.</summary>
    public const int LargestTensor = 64 << 10;

    private const int LargestBlock = 1 << 20;
    private const int Alignment = 64;

    private readonly InferenceSession _session;
    private readonly OrtIoBinding _binding;
    private readonly Slot[] _inputs;
    private readonly Slot[] _outputs;
    private readonly byte* _block;
    private readonly bool _copiesWhenBound; // as ONNX Runtime takes inputs to a GPU when they are bound, not when they are used
    private readonly IMemoryOwner<byte>? _owner;
    private readonly MemoryHandle _pin;

    private FixedBinding(InferenceSession session, SessionDevice device, Slot[] inputs, Slot[] outputs)
    {
        (_session, _inputs, _outputs) = (session, inputs, outputs);
        var last = outputs.Length > 0 ? outputs[^1] : inputs[^1];
        var length = last.Offset + Padded(last.Length);
        _copiesWhenBound = device.Gpu is not null;
        _owner = device.HostMemory?.Rent(length);
        _pin = _owner?.Memory.Pin() ?? default;
        _block = (byte*)(_owner is null ? NativeMemory.AlignedAlloc((nuint)length, Alignment) : _pin.Pointer);
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
            if (!binding._copiesWhenBound)
            {
                binding.BindInputs();
            }

            binding.BindOutputs();
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

        if (_copiesWhenBound)
        {
            BindInputs();
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

    private void BindInputs()
    {
        foreach (var slot in _inputs)
        {
            using var value = Value(slot);
            _binding.BindInput(slot.Bound.Tensor.Name, value);
        }
    }

    private void BindOutputs()
    {
        foreach (var slot in _outputs)
        {
            using var value = Value(slot);
            _binding.BindOutput(slot.Bound.Tensor.Name, value);
        }
    }

    private OrtValue Value(Slot slot) => OrtValue.CreateTensorValueWithData(
        OrtMemoryInfo.DefaultInstance, slot.Bound.Tensor.ElementType, slot.Bound.BoundShape, (nint)(_block + slot.Offset), slot.Length);

    private Span<byte> Bytes(in Slot slot) => new(_block + slot.Offset, slot.Length);

    private readonly record struct Slot(BoundTensor Bound, int Offset, int Length);
}
