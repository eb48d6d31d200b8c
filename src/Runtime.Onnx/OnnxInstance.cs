using System.Buffers;
using Microsoft.ML.OnnxRuntime;
using Runtime.Backends;
using Runtime.Devices;
using Runtime.Models;
using Runtime.Tensors;

namespace Runtime.Onnx;

/// <summary>Executes a session, which it may share with other instances, on bindings of its own.</summary>
internal sealed class OnnxInstance : IModelInstance
{
    private const int MostBindings = 8;

    private readonly InferenceSession _session;
    private readonly SessionDevice _device;
    private readonly OnnxOutput[] _outputs;
    private readonly InputRules _rules;
    private readonly RunOptions _options;
    private readonly DirectBinding _direct;
    private readonly CudaGraphs? _graphs;
    private readonly List<FixedBinding> _fixed = [];
    private readonly SeenShapes _seen = new();
    private bool _areShapesReliable = true;

    /// <summary>Takes over the device; the session stays the model's.</summary>
    public OnnxInstance(OnnxModel model, InferenceSession session, SessionDevice device, ModelConfig config, OnnxTensor[] outputs)
    {
        (_session, _device) = (session, device);
        _outputs = [.. outputs.Select((output, i) => new OnnxOutput(output, config.Outputs[i], model, config.IsBatching))];
        _rules = new InputRules(model, config);
        _options = OnnxSessionOptions.ForRun(config, device.Gpu?.Device ?? Device.Cpu);
        _direct = new DirectBinding(session, device, _rules);
        if (model.UsesGraphs && device.Gpu is not null)
        {
            _options.AddRunConfigEntry(CudaGraph.NumberKey, "-1");
            _graphs = new CudaGraphs(session, device, _rules, _outputs);
        }
    }

    public MemoryPool<byte>? InputMemory => _device.HostMemory;

    public bool RunsOnAnyThread => _device.Gpu is null;

    public TensorSet Execute(TensorSet inputs, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        try
        {
            // Returns only when no callback runs, and memory is freed only after the run has returned.
            using (cancellation.UnsafeRegister(static options => ((RunOptions)options!).Terminate = true, _options))
            {
                return Run(inputs);
            }
        }
        catch (OnnxRuntimeException) when (cancellation.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancellation);
        }
        catch (OnnxRuntimeException exception)
        {
            throw OnnxErrors.AtRun(exception);
        }
        finally
        {
            _options.Terminate = false;
        }
    }

    public void Dispose()
    {
        DropBindings();
        _direct.Dispose();
        _graphs?.Dispose();
        _options.Dispose();
        _device.Dispose();
    }

    private TensorSet Run(TensorSet inputs)
    {
        if (_graphs is not null || _device.IsDirect(inputs))
        {
            _rules.Check(inputs);
            return _graphs?.Run(inputs) ?? _direct.Run(inputs, _options, _outputs);
        }

        if (FindBinding(inputs) is { } binding && TryRun(inputs, binding) is { } results)
        {
            return results;
        }

        _rules.Check(inputs);
        if (_areShapesReliable && OnnxOutput.Expect(_outputs, inputs) is { } expected && TryRun(inputs, expected) is { } others)
        {
            return others;
        }

        return _direct.Run(inputs, _options, _outputs);
    }

    /// <summary>Null when an output had another shape than its file declares; nothing the file declares is relied on then.</summary>
    private TensorSet? TryRun(TensorSet inputs, FixedBinding binding)
    {
        try
        {
            return binding.Run(inputs, _options);
        }
        catch (OnnxRuntimeException exception) when (OnnxErrors.IsShapeMismatch(exception))
        {
            DistrustShapes();
            return null;
        }
    }

    /// <inheritdoc cref="TryRun(TensorSet, FixedBinding)"/>
    private TensorSet? TryRun(TensorSet inputs, BoundTensor[] expected)
    {
        // Shapes that come once only, as those of free text may, are not worth a binding.
        if (_seen.Add(inputs) && FixedBinding.TryCreate(_session, _device, inputs, _rules, expected) is { } binding)
        {
            Keep(binding);
            return TryRun(inputs, binding);
        }

        try
        {
            return _direct.Run(inputs, _options, expected);
        }
        catch (OnnxRuntimeException exception) when (OnnxErrors.IsShapeMismatch(exception))
        {
            DistrustShapes();
            return null;
        }
    }

    /// <summary>The binding for these inputs, moved to the front, or null.</summary>
    private FixedBinding? FindBinding(TensorSet inputs)
    {
        for (var i = 0; i < _fixed.Count; i++)
        {
            var binding = _fixed[i];
            if (!binding.Fits(inputs))
            {
                continue;
            }

            if (i > 0)
            {
                _fixed.RemoveAt(i);
                _fixed.Insert(0, binding);
            }

            return binding;
        }

        return null;
    }

    private void Keep(FixedBinding binding)
    {
        if (_fixed.Count == MostBindings)
        {
            _fixed[^1].Dispose();
            _fixed.RemoveAt(_fixed.Count - 1);
        }

        _fixed.Insert(0, binding);
    }

    private void DistrustShapes()
    {
        _areShapesReliable = false;
        DropBindings();
    }

    private void DropBindings()
    {
        _fixed.ForEach(binding => binding.Dispose());
        _fixed.Clear();
    }
}
