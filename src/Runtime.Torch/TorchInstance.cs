using System.Buffers;
using System.Runtime.InteropServices;
using Runtime.Backends;
using Runtime.Devices;
using Runtime.Inference;
using Runtime.Models;
using Runtime.Tensors;
using Runtime.Torch.Interop;

namespace Runtime.Torch;

/// <summary>Executes a method of a module that it may share with other instances. A run that has begun is not stopped by a cancellation.</summary>
internal sealed unsafe class TorchInstance : IModelInstance
{
    private readonly ModelConfig _config;
    private readonly TorchParameters _parameters;
    private readonly Action<string>? _log;
    private readonly Device _device;
    private readonly NativeModule? _ownModule;
    private readonly NativeMethod _method;
    private readonly CallFrame _frame;
    private readonly OutputReader _outputs;
    private readonly NativeError* _error;
    private NativeRunOptions _options;

    /// <summary>Makes an instance; with <paramref name="ownsModule"/> it takes over the module, unless it throws.</summary>
    public TorchInstance(ModelConfig config, Device device, NativeModule module, bool ownsModule, (TorchParameters Parameters, TorchOptions Options) settings)
    {
        (_config, _device, _parameters, _log) = (config, device, settings.Parameters, settings.Options.Log);
        _method = GetMethod(module, _parameters.Method, config.Name);
        try
        {
            var signature = MethodSignature.Of(_method, _parameters.Method);
            _outputs = new OutputReader(config, signature);
            _frame = new CallFrame(config, new InputPlan(config, signature).Slots, device);
        }
        catch
        {
            _method.Dispose();
            throw;
        }

        _error = (NativeError*)NativeMemory.Alloc((nuint)sizeof(NativeError));
        _ownModule = ownsModule ? module : null;
        InputMemory = device.Gpu is { } gpu ? CudaDevices.Here.Find(gpu)?.PageLocked : null;
        _options = new NativeRunOptions
        {
            Size = sizeof(NativeRunOptions),
            IntraOpThreads = Math.Min(_parameters.IntraOpThreads, settings.Options.IntraOpThreadCount),
        };
    }

    /// <summary>Page-locked, where libtorch's copies to the GPU need no detour.</summary>
    public MemoryPool<byte>? InputMemory { get; }

    /// <summary>Runs on zeros, so that the profiling executor has compiled what it compiles after its first runs; a model that fails on zeros serves all the same.</summary>
    public void Prepare()
    {
        try
        {
            using var zeros = ZeroInputs.Create(_config);
            for (var run = 0; run < _parameters.WarmupRuns; run++)
            {
                Execute(zeros, CancellationToken.None).Dispose();
            }
        }
        catch (InferenceException exception) when (!exception.Error.IsPermanent)
        {
            // A script's traceback ends with the reason.
            var reason = exception.Message.TrimEnd().Split('\n')[^1];
            _log?.Invoke($"model '{_config.Name}' was not warmed up, as it fails on zeros, with 1 for each variable dimension ({reason}); give it model_warmup samples, or set parameter warmup_runs to 0");
        }
    }

    public TensorSet Execute(TensorSet inputs, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        return _outputs.Read(Run(inputs));
    }

    public void Dispose()
    {
        _method.Dispose();
        _ownModule?.Dispose();
        _frame.Dispose();
        NativeMemory.Free(_error);
    }

    private nint Run(TensorSet inputs)
    {
        try
        {
            _frame.Fill(inputs);
            fixed (NativeRunOptions* options = &_options)
            {
                var code = NativeMethods.Run(_method, _frame.Arguments, _frame.Count, options, out var outputs, _error);
                TorchErrors.Check(code, _error, "PyTorch execute failure: ");
                return outputs;
            }
        }
        finally
        {
            _frame.Clear();
            if (_parameters.CleanCache && _device.Gpu is { } gpu)
            {
                // A lost device shows in the run; here there is nothing to do about it.
                _ = NativeMethods.EmptyCache(gpu, null);
            }
        }
    }

    private static NativeMethod GetMethod(NativeModule module, string name, string model)
    {
        NativeError error;
        var code = NativeMethods.GetMethod(module, name, out var method, &error);
        TorchErrors.Check(code, &error, $"model '{model}': ");
        return new NativeMethod(method);
    }
}
