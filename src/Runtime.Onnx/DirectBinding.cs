using System.Buffers;
using Microsoft.ML.OnnxRuntime;
using Runtime.Devices;
using Runtime.Inference;
using Runtime.Tensors;

namespace Runtime.Onnx;

/// <summary>
/// Executes on the caller's memory, whatever the shapes: large tensors are not copied, outputs of unknown shape come in ONNX
/// Runtime's memory. A run returns when the session's stream has done all its work, since ONNX Runtime's CUDA provider waits
/// for it where a run ends (OnRunEnd, unless <c>disable_synchronize_execution_providers</c> is set), so outputs on a GPU can
/// be read on any stream.
/// </summary>
internal sealed class DirectBinding(InferenceSession session, SessionDevice device, InputRules rules) : IDisposable
{
    // What tensors without elements point at, as a null pointer is refused.
    private static readonly byte[] Nothing = GC.AllocateArray<byte>(64, pinned: true);

    private readonly OrtIoBinding _binding = session.CreateIoBinding();
    private readonly List<MemoryHandle> _pins = [];

    /// <summary>Executes checked inputs, with the outputs in our memory, which must turn out to have these shapes.</summary>
    public TensorSet Run(TensorSet inputs, RunOptions options, BoundTensor[] outputs)
    {
        using var scratch = new TensorSet(capacity: 0);
        var results = new TensorSet(capacity: outputs.Length) { Source = device.HostMemory };
        try
        {
            BindInputs(inputs, scratch);
            foreach (var output in outputs)
            {
                var size = CheckSize(output.Tensor, Shapes.ByteSize(output.Tensor.Type, output.BoundShape));
                results.Rent(output.Tensor.Name, output.Tensor.Type, output.Shape, size, out var memory);
                using var value = Wrap(output.Tensor, output.BoundShape, memory.Span);
                _binding.BindOutput(output.Tensor.Name, value);
            }

            session.RunWithBinding(options, _binding);
            return results;
        }
        catch
        {
            results.Dispose();
            throw;
        }
        finally
        {
            Unbind();
        }
    }

    /// <summary>Executes checked inputs, with the outputs in whatever shape they come.</summary>
    public TensorSet Run(TensorSet inputs, RunOptions options, OnnxOutput[] outputs)
    {
        using var scratch = new TensorSet(capacity: 0);
        var results = new TensorSet(capacity: outputs.Length) { Source = device.HostMemory };
        try
        {
            BindInputs(inputs, scratch);
            foreach (var output in outputs)
            {
                _binding.BindOutputToDevice(output.Tensor.Name, Stays(output, inputs) ? device.Memory! : OrtMemoryInfo.DefaultInstance);
            }

            // Not disposed as a whole, as some of the values live on in the results.
            var values = session.RunWithBoundResults(options, _binding);
            for (var i = 0; i < outputs.Length; i++)
            {
                Take(values[i], outputs[i], Stays(outputs[i], inputs) ? device.Gpu : null, results);
            }

            return results;
        }
        catch
        {
            results.Dispose();
            throw;
        }
        finally
        {
            Unbind();
        }
    }

    public void Dispose() => _binding.Dispose();

    private void BindInputs(TensorSet inputs, TensorSet scratch)
    {
        foreach (var input in inputs.Tensors)
        {
            using var value = Value(input, scratch);
            _binding.BindInput(input.Name, value);
        }
    }

    private OrtValue Value(Tensor input, TensorSet scratch)
    {
        var shape = rules.ShapeOf(input);
        if (input.Type == DataType.Bytes)
        {
            return StringTensors.Create(input.Data.Span, shape);
        }

        if (device.AddressOf(input, scratch) is not 0 and var address)
        {
            return OrtValue.CreateTensorValueWithData(device.Memory!, rules[input.Name].ElementType, shape, address, input.Data.Length);
        }

        var data = input.Data;
        if (!IsAligned(data.Span, input.Type.Size()))
        {
            scratch.Rent(input.Name, input.Type, input.Shape, data.Length, out var aligned);
            data.CopyTo(aligned);
            data = aligned;
        }

        _pins.Add(data.Pin());
        return Wrap(rules[input.Name], shape, data.Span);
    }

    private static unsafe bool IsAligned(ReadOnlySpan<byte> data, int elementSize)
    {
        fixed (byte* address = data)
        {
            return (nuint)address % (nuint)elementSize == 0;
        }
    }

    private static unsafe OrtValue Wrap(OnnxTensor tensor, long[] shape, ReadOnlySpan<byte> pinned)
    {
        fixed (byte* address = pinned.IsEmpty ? Nothing : pinned)
        {
            return OrtValue.CreateTensorValueWithData(OrtMemoryInfo.DefaultInstance, tensor.ElementType, shape, (nint)address, pinned.Length);
        }
    }

    /// <summary>Whether an output is left on the GPU, for a receiver who copes with that.</summary>
    private bool Stays(OnnxOutput output, TensorSet inputs)
        => device.Gpu is not null && inputs.AllowsDeviceOutputs && output.Tensor.Type != DataType.Bytes && !output.IsInput;

    /// <summary>Adds an output to the results: its memory if it is large or on a GPU, else a copy.</summary>
    private static void Take(OrtValue value, OnnxOutput output, CudaDevice? gpu, TensorSet results)
    {
        var (name, type) = (output.Tensor.Name, output.Tensor.Type);
        var isKept = false;
        try
        {
            var shape = output.Shown(value.GetTensorTypeAndShape().Shape);
            if (type == DataType.Bytes)
            {
                StringTensors.Read(value, name, shape, results);
                return;
            }

            var size = CheckSize(output.Tensor, value.GetTensorSizeInBytes());
            if (gpu is not null)
            {
                var onGpu = new CudaMemory(gpu, AddressOf(value), (int)size, value);
                isKept = true;
                results.Add(new Tensor(name, type, shape, onGpu.Memory), onGpu);
                return;
            }

            if (size > FixedBinding.LargestTensor && !output.IsInput)
            {
                var memory = new OrtMemory(value);
                isKept = true;
                results.Add(new Tensor(name, type, shape, memory.Memory), memory);
                return;
            }

            results.Rent(name, type, shape, size, out var copy);
            value.GetTensorMutableRawData().CopyTo(copy.Span);
        }
        finally
        {
            if (!isKept)
            {
                value.Dispose();
            }
        }
    }

    private static unsafe nint AddressOf(OrtValue value)
    {
        fixed (byte* address = value.GetTensorMutableRawData())
        {
            return (nint)address;
        }
    }

    /// <exception cref="InferenceException">An output is larger than a tensor can be.</exception>
    public static int CheckSize(OnnxTensor output, long size) => size >= 0 && size <= Array.MaxLength
        ? (int)size
        : throw new InferenceException(ErrorCode.Unsupported, $"output '{output.Name}' has {size} bytes; a tensor may have at most {Array.MaxLength}");

    private void Unbind()
    {
        _binding.ClearBoundInputs();
        _binding.ClearBoundOutputs();
        foreach (var pin in _pins)
        {
            pin.Dispose();
        }

        _pins.Clear();
    }
}
