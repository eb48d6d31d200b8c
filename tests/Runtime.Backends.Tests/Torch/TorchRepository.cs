using Runtime.Inference;
using Runtime.Models;
using Runtime.Onnx;
using Runtime.Torch;

namespace Runtime.Backends.Tests.Torch;

/// <summary>A repository in a directory of its own, served by both native backends.</summary>
internal sealed class TorchRepository : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory();

    public TorchRepository(Action<string>? log = null)
    {
        var options = new RepositoryOptions { Directories = [_directory.FullName], Mode = ModelControlMode.Explicit };
        Models = new ModelRepository(options, [new TorchBackend(new TorchOptions { Log = log }), new OnnxBackend()]);
    }

    public ModelRepository Models { get; }

    /// <summary>Adds a model of a file of the models folder, by the file's name unless it is called otherwise.</summary>
    public void Add(string file, string config, string? name = null, string kind = "pt")
    {
        var version = _directory.CreateSubdirectory(Path.Combine(name ?? file, "1"));
        File.Copy(Path.Combine(TorchTestModel.Directory, $"{file}.{kind}"), Path.Combine(version.FullName, $"model.{kind}"));
        File.WriteAllText(Path.Combine(version.Parent!.FullName, "config.pbtxt"), config);
    }

    /// <summary>Empty when it loads, else why it does not.</summary>
    public string Load(string name) => Models.LoadAsync(name, null, default).GetAwaiter().GetResult()?.Message ?? "";

    public void Unload(string name) => Assert.Null(Models.UnloadAsync(name, false, default).GetAwaiter().GetResult());

    /// <summary>The response, which the caller disposes.</summary>
    public async Task<InferenceResponse> AskAsync(string name, InferenceRequest request)
    {
        Assert.Null(Models.TryAcquire(name, "", out var lease));
        using (lease)
        {
            return await lease.Model.InferAsync(request, default);
        }
    }

    public void Dispose()
    {
        Models.DisposeAsync().AsTask().GetAwaiter().GetResult();
        _directory.Delete(recursive: true);
    }
}
