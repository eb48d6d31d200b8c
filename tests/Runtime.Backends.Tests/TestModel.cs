using Runtime.Devices;
using Runtime.Models;
using Runtime.Onnx;
using Runtime.Tensors;

namespace Runtime.Backends.Tests;

/// <summary>A file of the models folder, loaded, with one instance of it.</summary>
internal sealed class TestModel : IDisposable
{
    private static readonly OnnxBackend Backend = new();
    private readonly ILoadedModel _loaded;

    private TestModel(ILoadedModel loaded, ModelConfig config)
    {
        (_loaded, Config) = (loaded, config);
        Instance = CreateInstance();
    }

    public static string Directory { get; } = Path.Combine(AppContext.BaseDirectory, "models");

    public ModelConfig Config { get; }

    public ModelSignature Signature => _loaded.Signature!;

    public IModelInstance Instance { get; }

    /// <summary>Loads a file and takes its inputs and outputs for the configuration's.</summary>
    public static TestModel Load(string name, int maxBatchSize = 0, params string[] outputs) => Load(Configure(name), maxBatchSize, outputs);

    /// <inheritdoc cref="Load(string, int, string[])"/>
    public static TestModel Load(ModelConfig config, int maxBatchSize = 0, params string[] outputs)
    {
        var loaded = Backend.Load(config, Directory);
        var signature = loaded.Signature!;
        return new TestModel(loaded, config with
        {
            MaxBatchSize = maxBatchSize,
            Inputs = [.. signature.Inputs.Select(input => Tensor(input, maxBatchSize)), .. signature.OptionalInputs.Select(input => Tensor(input, maxBatchSize) with { Optional = true })],
            Outputs = [.. signature.Outputs.Where(output => outputs.Length == 0 || outputs.Contains(output.Name)).Select(output => Tensor(output, maxBatchSize))],
        });
    }

    /// <summary>Loads a file and unloads it again: for what goes wrong on the way.</summary>
    public static void TryLoad(ModelConfig config)
    {
        using var loaded = Backend.Load(config, Directory);
        loaded.CreateInstance(config, Device.Cpu).Dispose();
    }

    public static ModelConfig Configure(string name, params (string Key, string Value)[] parameters)
    {
        var message = new Protocol.ModelConfig { Name = name, Backend = "onnxruntime", DefaultModelFilename = name + ".onnx" };
        foreach (var (key, value) in parameters)
        {
            message.Parameters[key] = new Protocol.ModelParameter { StringValue = value };
        }

        return ModelConfig.From(message);
    }

    public IModelInstance CreateInstance(ModelConfig? config = null) => (IModelInstance)_loaded.CreateInstance(config ?? Config, Device.Cpu);

    public TensorSet Execute(TensorSet inputs) => Instance.Execute(inputs, CancellationToken.None);

    public void Dispose()
    {
        Instance.Dispose();
        _loaded.Dispose();
    }

    private static TensorConfig Tensor(TensorSpec spec, int maxBatchSize)
        => new(spec.Name, spec.Type, maxBatchSize > 0 ? spec.Shape[1..] : spec.Shape, null);
}
