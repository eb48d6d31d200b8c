using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using Runtime.Tensors;

namespace Runtime.Onnx;

/// <summary>
/// Small inputs of one set of shapes and their outputs, bound once to memory of its own: an execution copies in, runs and
/// copies out. That costs less than binding other memory each time, which allocates.
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

    private FixedBinding(InferenceSession session, Slot[] inputs, Slot[] outputs)
    {
        (_session, _inputs, _outputs) = (session, inputs, outputs);
        var last = outputs.Length > 0 ? outputs[^1] : inputs[^1];
        _block = (byte*)NativeMemory.AlignedAlloc((nuint)(last.Offset + Padded(last.Length)), Alignment);
        _binding = session.CreateIoBinding();
    }

    /// <summary>A binding for inputs of these shapes; null where something is too large for it or has no fixed size.</summary>
    public static FixedBinding? TryCreate(InferenceSession session, TensorSet inputs, InputRules rules, BoundTensor[] outputs)
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

        var binding = new FixedBinding(session, inputSlots, outputSlots);
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
            if (input.Name != slot.Tensor.Name || input.Type != slot.Tensor.Type || input.Data.Length != slot.Length
                || !input.Shape.AsSpan().SequenceEqual(slot.Shape))
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

        _session.RunWithBinding(options, _binding);
        var outputs = new TensorSet(capacity: _outputs.Length);
        foreach (ref readonly var slot in _outputs.AsSpan())
        {
            outputs.Rent(slot.Tensor.Name, slot.Tensor.Type, slot.Shape, slot.Length, out var memory);
            Bytes(slot).CopyTo(memory.Span);
        }

        return outputs;
    }

    public void Dispose()
    {
        _binding.Dispose();
        NativeMemory.AlignedFree(_block);
    }

    private static bool TryPlace(BoundTensor tensor, ref int offset, out Slot slot)
    {
        var size = Shapes.ByteSize(tensor.Tensor.Type, tensor.BoundShape);
        slot = new Slot(tensor.Tensor, tensor.BoundShape, tensor.Shape, offset, (int)size);
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
        foreach (var slot in _inputs)
        {
            using var value = Value(slot);
            _binding.BindInput(slot.Tensor.Name, value);
        }

        foreach (var slot in _outputs)
        {
            using var value = Value(slot);
            _binding.BindOutput(slot.Tensor.Name, value);
        }
    }

    private OrtValue Value(Slot slot) => OrtValue.CreateTensorValueWithData(
        OrtMemoryInfo.DefaultInstance, slot.Tensor.ElementType, slot.BoundShape, (nint)(_block + slot.Offset), slot.Length);

    private Span<byte> Bytes(in Slot slot) => new(_block + slot.Offset, slot.Length);

    private readonly record struct Slot(OnnxTensor Tensor, long[] BoundShape, long[] Shape, int Offset, int Length);
}
