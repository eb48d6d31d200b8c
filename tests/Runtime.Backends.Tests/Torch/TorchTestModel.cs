using Runtime.Devices;
using Runtime.Models;
using Runtime.Models.Configuration;
using Runtime.Tensors;
using Runtime.Torch;

namespace Runtime.Backends.Tests.Torch;

/// <summary>A TorchScript file of the models folder, loaded for a configuration, with one instance of it.</summary>
internal sealed class TorchTestModel : IDisposable
{
    private readonly ILoadedModel _loaded;

    private TorchTestModel(ModelConfig config, TorchOptions? options)
    {
        Config = config;
        _loaded = new TorchBackend(options).Load(config, Directory);
        try
        {
            Instance = CreateInstance();
        }
        catch
        {
            _loaded.Dispose();
            throw;
        }
    }

    public static string Directory { get; } = Path.Combine(AppContext.BaseDirectory, "models", "torch");

    public ModelConfig Config { get; }

    public IModelInstance Instance { get; }

    /// <summary>Loads a file with a configuration's text: inputs, outputs and whatever else.</summary>
    public static TorchTestModel Load(string file, string config, TorchOptions? options = null) => new(Configure(file, config), options);

    /// <summary>Why a file cannot be loaded with a configuration, or makes no instance for it.</summary>
    public static Inference.InferenceError LoadError(string file, string config)
        => Assert.Throws<Inference.InferenceException>(() => Load(file, config).Dispose()).Error;

    public static ModelConfig Configure(string file, string config)
        => ModelConfig.From(ModelConfigText.Parse($"name: '{file}' backend: 'pytorch' default_model_filename: '{file}.pt' {config}", "the test's configuration"));

    /// <summary>The text of an input or output.</summary>
    public static string Tensor(string kind, string name, string type, string dims) => $"{kind} {{ name: '{name}' data_type: TYPE_{type} dims: [ {dims} ] }} ";

    public static string In(string name, string type = "FP32", string dims = "-1") => Tensor("input", name, type, dims);

    public static string Out(string name, string type = "FP32", string dims = "-1") => Tensor("output", name, type, dims);

    /// <summary>The text of a parameter.</summary>
    public static string Parameter(string key, string value) => $"parameters {{ key: '{key}' value {{ string_value: '{value}' }} }} ";

    public IModelInstance CreateInstance() => (IModelInstance)_loaded.CreateInstance(Config, Device.Cpu);

    public TensorSet Execute(TensorSet inputs) => Instance.Execute(inputs, CancellationToken.None);

    /// <summary>Executes inputs that must fail.</summary>
    public Inference.InferenceError Fail(TensorSet inputs) => Assert.Throws<Inference.InferenceException>(() => Execute(inputs).Dispose()).Error;

    public void Dispose()
    {
        Instance.Dispose();
        _loaded.Dispose();
    }
}
