using Runtime.Devices;
using Runtime.Models;
using Runtime.Onnx;
using Runtime.Tests.Native;

namespace Runtime.Backends.Tests;

public sealed class CudaProviderTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory();

    [Fact]
    public void Gpus_NoDriver_SaysSo()
    {
        var gpus = new OnnxBackend(new OnnxOptions(), () => new CudaDevices("libno_such_driver.so.1")).Gpus;

        Assert.Empty(gpus.Numbers);
        Assert.Equal("there is no NVIDIA driver (libno_such_driver.so.1)", gpus.WhyNone);
    }

    [FakeCudaFact]
    public void Gpus_NoProvider_SaysWhereItIsLookedFor()
        => Assert.Equal(
            "this ONNX Runtime has no CUDA provider, and libonnxruntime_providers_cuda.so is not beside the application (--onnx-cuda-library names another place)",
            WhyNone(null));

    [FakeCudaFact]
    public void Gpus_NoSuchLibrary_NamesIt()
        => Assert.Equal($"there is no file '{_directory.FullName}/absent.so' (--onnx-cuda-library)", WhyNone(Path.Combine(_directory.FullName, "absent.so")));

    [FakeCudaFact]
    public void Gpus_LibraryIsText_SaysWhatTheLoaderSays()
    {
        var path = Path.Combine(_directory.FullName, "text.so");
        File.WriteAllText(path, "no library");

        var why = WhyNone(path);

        Assert.StartsWith($"ONNX Runtime cannot load '{path}': ", why, StringComparison.Ordinal);
        Assert.Contains("file too short", why, StringComparison.Ordinal);
    }

    [FakeCudaFact]
    public void Gpus_LibraryOfAnotherKind_IsRefused()
        => Assert.StartsWith($"ONNX Runtime cannot load '{FakeCuda.Library}': ", WhyNone(FakeCuda.Library), StringComparison.Ordinal);

    [Fact]
    public async Task LoadAsync_KindGpuWithoutAGpu_SaysWhyAndKindAutoRunsOnTheCpu()
    {
        var backend = new OnnxBackend(new OnnxOptions(), () => new CudaDevices("libno_such_driver.so.1"));
        Write("gpu", "instance_group { kind: KIND_GPU }");
        Write("auto", "instance_group { kind: KIND_AUTO count: 1 } optimization { cuda { graphs: true } }");
        await using var models = new ModelRepository(new RepositoryOptions { Directories = [_directory.FullName], Mode = ModelControlMode.Explicit }, [backend]);

        Assert.Contains(
            "instance group gpu_0 of model gpu has kind KIND_GPU but server does not support GPUs: there is no NVIDIA driver (libno_such_driver.so.1); use KIND_CPU or KIND_AUTO",
            (await models.LoadAsync("gpu", null, default))?.Message,
            StringComparison.Ordinal);
        Assert.Null(await models.LoadAsync("auto", null, default));
    }

    public void Dispose() => _directory.Delete(recursive: true);

    private static string WhyNone(string? library)
    {
        using var cuda = new FakeCuda();
        var gpus = new OnnxBackend(new OnnxOptions { CudaLibrary = library }, cuda.Open).Gpus;
        Assert.Empty(gpus.Numbers);
        return gpus.WhyNone;
    }

    private void Write(string name, string config)
    {
        var directory = _directory.CreateSubdirectory(name);
        File.WriteAllText(Path.Combine(directory.FullName, "config.pbtxt"), "backend: 'onnxruntime' " + config);
        File.Copy(Path.Combine(TestModel.Directory, "simple.onnx"), Path.Combine(directory.CreateSubdirectory("1").FullName, "model.onnx"));
    }
}
