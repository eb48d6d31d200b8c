using System.Globalization;
using Microsoft.ML.OnnxRuntime;
using Runtime.Devices;
using Runtime.Tensors;

namespace Runtime.Onnx;

/// <summary>One graph: tensors bound to device memory of its own, which inputs are copied to and outputs from.</summary>
internal sealed class CudaGraph : IDisposable
{
    /// <summary>The run option that names a graph; -1 runs without one.</summary>
    public const string NumberKey = "gpu_graph_id";

    private readonly InferenceSession _session;
    private readonly SessionDevice _device;
    private readonly BoundTensor[] _inputs;
    private readonly BoundTensor[] _outputs;
    private readonly List<CudaMemory> _memory = []; // the inputs', then the outputs'
    private readonly OrtIoBinding _binding;
    private readonly RunOptions _options = new();

    public CudaGraph(InferenceSession session, SessionDevice device, BoundTensor[] inputs, BoundTensor[] outputs, int number)
    {
        (_session, _device, _inputs, _outputs) = (session, device, inputs, outputs);
        _binding = session.CreateIoBinding();
        try
        {
            _options.AddRunConfigEntry(NumberKey, number.ToString(CultureInfo.InvariantCulture));
            foreach (var input in inputs)
            {
                Bind(input, _binding.BindInput);
            }

            foreach (var output in outputs)
            {
                Bind(output, _binding.BindOutput);
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Whether these inputs have the names, order, types and shapes of this graph.</summary>
    public bool Fits(TensorSet inputs)
    {
        for (var i = 0; i < _inputs.Length && inputs.Count == _inputs.Length; i++)
        {
            if (!_inputs[i].Fits(inputs[i]))
            {
                return false;
            }
        }

        return inputs.Count == _inputs.Length;
    }

    /// <summary>Executes inputs that fit, and returns when the outputs are there.</summary>
    public TensorSet Run(TensorSet inputs)
    {
        var gpu = _device.Gpu!;
        for (var i = 0; i < _inputs.Length; i++)
        {
            var data = inputs[i].Data;
            using var scratch = new TensorSet(capacity: 1);
            if (_device.AddressOf(inputs[i], scratch) is not 0 and var address)
            {
                gpu.Join([(address, data.Length)], _memory[i].Address);
            }
            else
            {
                gpu.CopyToDevice(data.Span, _memory[i].Address);
            }
        }

        _session.RunWithBinding(_options, _binding);
        var results = new TensorSet(capacity: _outputs.Length) { Source = _device.HostMemory };
        try
        {
            for (var i = 0; i < _outputs.Length; i++)
            {
                var (output, made) = (_outputs[i], _memory[_inputs.Length + i]);
                results.Rent(output.Tensor.Name, output.Tensor.Type, output.Shape, made.Length, out var memory);
                gpu.CopyToHost(made.Address, memory.Span);
            }

            return results;
        }
        catch
        {
            results.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        _binding.Dispose();
        _options.Dispose();
        _memory.ForEach(memory => ((IDisposable)memory).Dispose());
    }

    private void Bind(BoundTensor tensor, Action<string, OrtValue> bind)
    {
        var memory = _device.Gpu!.Allocate(DirectBinding.CheckSize(tensor.Tensor, Shapes.ByteSize(tensor.Tensor.Type, tensor.BoundShape)));
        _memory.Add(memory);
        using var value = OrtValue.CreateTensorValueWithData(_device.Memory!, tensor.Tensor.ElementType, tensor.BoundShape, memory.Address, memory.Length);
        bind(tensor.Tensor.Name, value);
    }
}
