using Runtime.Backends;
using Runtime.Devices;
using Runtime.Inference;
using Runtime.Models;
using Runtime.Tensors;

namespace Runtime.Tests.Models;

/// <summary>A repository in a directory of its own, whose backend <c>add</c> adds the number in each version's file <c>model</c>.</summary>
internal sealed class RepositoryUnderTest : IAsyncDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory();

    public RepositoryUnderTest(ModelControlMode mode = ModelControlMode.Explicit, params string[] load)
        : this(null, mode, load)
    {
    }

    public RepositoryUnderTest(TimeProvider time)
        : this(null, time)
    {
    }

    public RepositoryUnderTest(ResponseCache? cache, ModelControlMode mode = ModelControlMode.Explicit, params string[] load)
        : this(cache, null, mode, load)
    {
    }

    private RepositoryUnderTest(ResponseCache? cache, TimeProvider? time, ModelControlMode mode = ModelControlMode.Explicit, params string[] load)
    {
        var options = new RepositoryOptions { Directories = [_directory.FullName], Mode = mode, LoadAtStart = load, Cache = cache, Warn = Warnings.Add };
        Options = options;
        Models = new ModelRepository(options, [Backend], time);
    }

    public RepositoryOptions Options { get; }

    public List<string> Warnings { get; } = [];

    public AddBackend Backend { get; } = new();

    public ModelRepository Models { get; }


    /// <summary>Writes a model with INT32 X and Y; each version adds its number.</summary>
    public void Write(string name, string config = "", params (int Version, string Content)[] versions)
    {
        var model = _directory.CreateSubdirectory(name);
        var text = "backend: 'add' max_batch_size: 8 input { name: 'X' data_type: TYPE_INT32 dims: -1 } output { name: 'Y' data_type: TYPE_INT32 dims: -1 } ";
        File.WriteAllText(Path.Combine(model.FullName, "config.pbtxt"), text + config);
        WriteVersions(name, versions);
    }

    public void WriteVersions(string name, params (int Version, string Content)[] versions)
    {
        foreach (var (version, content) in versions)
        {
            var file = Path.Combine(_directory.FullName, name, version.ToString(System.Globalization.CultureInfo.InvariantCulture), "model");
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllText(file, content);
        }
    }

    public void WriteConfig(string name, string text)
    {
        _directory.CreateSubdirectory(name);
        File.WriteAllText(Path.Combine(_directory.FullName, name, "config.pbtxt"), text);
    }

    public void Delete(string name) => Directory.Delete(Path.Combine(_directory.FullName, name), recursive: true);

    /// <summary>What the model makes of 1, or the error's message.</summary>
    public async Task<string> AskAsync(string name, string version = "")
    {
        if (Models.TryAcquire(name, version, out var lease) is { } error)
        {
            return error.Message;
        }

        using (lease)
        using (var request = TestModels.Request(1))
        using (var response = await lease.Model.InferAsync(request, default))
        {
            return response.Error?.Message ?? TestModels.Values(response)[0].ToString(System.Globalization.CultureInfo.InvariantCulture);
        }
    }

    public Task<InferenceError?> LoadAsync(string name, LoadOverrides? overrides = null) => Models.LoadAsync(name, overrides, default);

    public Task<InferenceError?> UnloadAsync(string name, bool unloadDependents = false) => Models.UnloadAsync(name, unloadDependents, default);

    public string State(string name) => string.Join(",", Models.Index(readyOnly: false).Where(entry => entry.Name == name).Select(entry => $"{entry.Version}:{entry.State}"));

    public async ValueTask DisposeAsync()
    {
        await Models.DisposeAsync();
        Assert.Equal(Backend.Loaded, Backend.Disposed);
        _directory.Delete(recursive: true);
    }
}

/// <summary>Y = X + the number in the version's file.</summary>
internal sealed class AddBackend : IBackend
{
    public int Loaded;
    public int Disposed;

    public string Name => "add";

    public ILoadedModel Load(ModelConfig config, string versionDirectory)
    {
        var text = File.ReadAllText(Path.Combine(versionDirectory, "model"));
        if (text == "fault")
        {
            throw new InvalidOperationException("the backend is broken");
        }

        if (!int.TryParse(text, out var number))
        {
            throw new InferenceException(ErrorCode.InvalidArgument, $"'{text}' is no number");
        }

        Interlocked.Increment(ref Loaded);
        return new Adding(this, number);
    }

    private sealed class Adding(AddBackend backend, int number) : ILoadedModel
    {
        public ModelSignature? Signature => null;

        public IDisposable CreateInstance(ModelConfig config, Device device) => new Instance(number);

        public void Dispose() => Interlocked.Increment(ref backend.Disposed);
    }

    private sealed class Instance(int number) : IModelInstance
    {
        public TensorSet Execute(TensorSet inputs, CancellationToken cancellation)
        {
            var x = inputs.Find("X")!;
            var outputs = new TensorSet();
            outputs.Rent("Y", x.Type, x.Shape, x.Data.Length, out var memory);
            var values = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, int>(x.Data.Span);
            for (var i = 0; i < values.Length; i++)
            {
                System.Runtime.InteropServices.MemoryMarshal.Cast<byte, int>(memory.Span)[i] = values[i] + number;
            }

            return outputs;
        }

        public void Dispose()
        {
        }
    }
}
