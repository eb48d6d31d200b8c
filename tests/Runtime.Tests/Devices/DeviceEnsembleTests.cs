using Runtime.Models;
using Runtime.Tests.Models;

namespace Runtime.Tests.Devices;

public sealed class DeviceEnsembleTests : IAsyncLifetime
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory();
    private readonly HeapDevice _device = new(0);
    private readonly HeapDeviceBackend _backend;
    private readonly ModelRepository _models;

    public DeviceEnsembleTests()
    {
        _backend = new HeapDeviceBackend(_device);
        Write("step", $"backend: 'device' {Tensors("Y")}");
        Write("cached", $"backend: 'device' response_cache {{ enable: true }} {Tensors("Y")}");
        _models = new ModelRepository(new RepositoryOptions { Directories = [_directory.FullName], Mode = ModelControlMode.Explicit, Cache = new ResponseCache(1 << 20) }, [_backend]);
    }

    [Fact]
    public async Task InferAsync_Chain_StaysOnTheDeviceUntilItsLastStep()
    {
        await AskAsync(Chain("Y", "step", "step", "step"), "4");

        Assert.Equal(["host to device", "GPU 0 to device", "GPU 0 to host"], _backend.Executions);
        Assert.Equal(0, _device.HostCopies);
    }

    [Fact]
    public async Task InferAsync_OutputThatFeedsAStep_IsCopiedOnceAtTheEnd()
    {
        await AskAsync(Chain("t1", "step", "step"), "2");

        Assert.Equal(["host to device", "GPU 0 to host"], _backend.Executions);
        Assert.Equal(1, _device.HostCopies);
    }

    [Fact]
    public async Task InferAsync_CopyAtTheEndFails_FailsTheRequest()
    {
        _device.IsBroken = true;

        await AskAsync(Chain("t1", "step", "step"), "[request id: <id_unknown>] GPU 0 is broken");
    }

    [Fact]
    public async Task InferAsync_StepThatKeepsAnswers_ReadsItsInputAndAnswersInHostMemory()
    {
        await AskAsync(Chain("Y", "step", "cached", "step"), "4");

        Assert.Equal(["host to device", "GPU 0 to host", "host to host"], _backend.Executions);
        Assert.Equal(1, _device.HostCopies);
    }

    [Fact]
    public async Task InferAsync_CheckCannotReadItsInput_FailsTheRequest()
    {
        _device.IsBroken = true;

        await AskAsync(Chain("Y", "step", "cached", "step"), "[request id: <id_unknown>] in ensemble 'chain', step 'cached' failed: GPU 0 is broken");
    }

    [Fact]
    public async Task InferAsync_EnsembleAsAStep_LeavesItsOutputsOnTheDevice()
    {
        Write("inner", Chain("t1", "step", "step"));

        await AskAsync(Chain("Y", "inner", "step"), "3"); // which needs one step of the inner two

        Assert.Equal(["host to device", "GPU 0 to host"], _backend.Executions);
        Assert.Equal(0, _device.HostCopies);
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await _models.DisposeAsync();
        _directory.Delete(recursive: true);
        Assert.Equal(0, _device.Living);
    }

    private static string Tensors(string output)
        => $"max_batch_size: 8 input {{ name: 'X' data_type: TYPE_INT32 dims: -1 }} output {{ name: '{output}' data_type: TYPE_INT32 dims: -1 }} ";

    /// <summary>Models one behind the other, from X over t1, t2 … to Y; its only output is the given one of these.</summary>
    private static string Chain(string output, params string[] models)
    {
        var steps = models.Select((model, i) =>
        {
            var from = i == 0 ? "X" : $"t{i}";
            var to = i == models.Length - 1 ? "Y" : $"t{i + 1}";
            var made = model == "inner" ? "t1" : "Y";
            return $"step {{ model_name: '{model}' input_map {{ key: 'X' value: '{from}' }} output_map {{ key: '{made}' value: '{to}' }} }} ";
        });
        var extra = output == "Y" ? "" : "output { name: 'Y' data_type: TYPE_INT32 dims: -1 } ";
        return $"platform: 'ensemble' {Tensors(output)}{extra}ensemble_scheduling {{ {string.Concat(steps)} }}";
    }

    private void Write(string name, string config)
    {
        var directory = _directory.CreateSubdirectory(name).FullName;
        File.WriteAllText(Path.Combine(directory, "config.pbtxt"), config);
    }

    /// <summary>Asks the ensemble what it makes of 1; its first output, or the error's message, must be what is expected.</summary>
    private async Task AskAsync(string config, string expected)
    {
        Write("chain", config);
        Assert.Null(await _models.LoadAsync("chain", null, default));
        Assert.Null(_models.TryAcquire("chain", "", out var lease));
        using (lease)
        using (var request = TestModels.Request(1))
        using (var response = await lease.Model.InferAsync(request, default))
        {
            var output = lease.Model.Config.Outputs[0].Name;
            Assert.Equal(expected, response.Error?.Message ?? string.Join(',', TestModels.Values(response, output)));
        }
    }
}
