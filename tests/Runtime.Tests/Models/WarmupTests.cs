using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Runtime.Backends;
using Runtime.Inference;
using Runtime.Models;
using Runtime.Tensors;

namespace Runtime.Tests.Models;

/// <summary>What a configuration wants run before the model serves.</summary>
public sealed class WarmupTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("warm-up");
    private readonly ConcurrentQueue<(int Thread, int[] Rows)> _executed = [];

    [Fact]
    public void Constructor_TwoInstances_EachRunsEverySampleOnItsOwnThread()
    {
        using var model = Make(config =>
        {
            config.InstanceGroup[0].Count = 2;
            config.ModelWarmup.Add(Sample(input => input.ZeroData = true, count: 3));
        });

        Assert.True(model.IsWarmed);
        Assert.Equal([3, 3], _executed.GroupBy(execution => execution.Thread).Select(group => group.Count()));
        Assert.Equal(6, model.Statistics.Snapshot().ExecutionCount);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(6)]
    public void Constructor_FileOfOneRowOrOfAll_FillsTheBatch(int values)
    {
        Write("data", [.. Enumerable.Range(1, values).SelectMany(BitConverter.GetBytes)]);

        using var model = Make(config => config.ModelWarmup.Add(Sample(input => input.InputDataFile = "data", batch: 3)));

        Assert.Equal(values == 2 ? [1, 2, 1, 2, 1, 2] : [1, 2, 3, 4, 5, 6], Assert.Single(_executed).Rows);
    }

    [Theory]
    [InlineData("data", "warm-up file warmup/data must have 24 bytes for input 'X', or 8 for one row of it, and has 12")]
    [InlineData("none", "unable to find warm-up file warmup/none for input 'X' of model 'test'")]
    [InlineData("../outside", "unable to find warm-up file warmup/../outside for input 'X' of model 'test'")]
    public void Constructor_FileThatIsNoGood_SaysWhy(string file, string reason)
    {
        Write("data", new byte[12]);
        File.WriteAllBytes(Path.Combine(_directory.FullName, "outside"), new byte[24]);

        var exception = Assert.Throws<InferenceException>(() => Make(config => config.ModelWarmup.Add(Sample(input => input.InputDataFile = file, batch: 3))));

        Assert.Equal($"warm-up sample 's' of model 'test' failed: {reason}", exception.Message);
    }

    [Theory]
    [InlineData(-1, "[1,-1]")]
    [InlineData(long.MaxValue, "[1,9223372036854775807]")]
    [InlineData(1L << 40, "[1,1099511627776]")]
    public void Constructor_DimensionsOfNoTensor_FailsTheLoad(long dimension, string shape)
    {
        var exception = Assert.Throws<InferenceException>(() => Make(config => config.ModelWarmup.Add(Sample(input =>
        {
            input.Dims[0] = dimension;
            input.ZeroData = true;
        }))));

        Assert.Contains($"the dimensions {shape} of input 'X'", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Constructor_InstanceThrows_SaysWhichSample()
    {
        var config = TestModels.Config(config => config.ModelWarmup.Add(Sample(input => input.ZeroData = true)));
        var loaded = new FunctionModel((_, _) => throw new InvalidOperationException("no luck"));

        var exception = Assert.Throws<InferenceException>(() => new Model(config, 1, loaded, new Dictionary<string, string[]>(), TimeProvider.System));

        Assert.Equal("warm-up sample 's' of model 'test' failed: execution failed: no luck", exception.Message);
        Assert.Equal(1, loaded.Disposed);
    }

    [Theory]
    [InlineData(Protocol.DataType.TypeInt32)]
    [InlineData(Protocol.DataType.TypeUint64)]
    [InlineData(Protocol.DataType.TypeString)]
    public void Constructor_SequenceModel_RunsSequencesOfOneRequestTogether(Protocol.DataType id)
    {
        using var model = Make(config =>
        {
            config.SequenceBatching = new Protocol.ModelSequenceBatching
            {
                ControlInput = { new Protocol.ModelSequenceBatching.Types.ControlInput { Name = "ID", Control = { new Protocol.ModelSequenceBatching.Types.Control { Kind = Protocol.ModelSequenceBatching.Types.Control.Types.Kind.ControlSequenceCorrid, DataType = id } } } },
            };
            var sample = Sample(input => input.ZeroData = true, batch: 3);
            sample.Inputs["ID"] = Zeros(id, 1); // Triton has samples name the controls
            config.ModelWarmup.Add(sample);
        });

        Assert.Equal(new int[6], Assert.Single(_executed).Rows);
    }

    [Fact]
    public async Task RunAsync_DecoupledModel_RunsToTheLastResponse()
    {
        var sample = new Protocol.ModelWarmup { Name = "s", Inputs = { ["IN"] = Zeros(Protocol.DataType.TypeInt32, 2), ["DELAY"] = Zeros(Protocol.DataType.TypeUint32, 2), ["WAIT"] = Zeros(Protocol.DataType.TypeUint32, 1) } };
        var config = TestModels.Config(config =>
        {
            (config.MaxBatchSize, config.ModelTransactionPolicy) = (0, new Protocol.ModelTransactionPolicy { Decoupled = true });
            config.Input.Clear();
            config.Input.Add(new Protocol.ModelInput { Name = "IN", DataType = Protocol.DataType.TypeInt32, Dims = { -1 } });
            config.Input.Add(new Protocol.ModelInput { Name = "DELAY", DataType = Protocol.DataType.TypeUint32, Dims = { -1 } });
            config.Input.Add(new Protocol.ModelInput { Name = "WAIT", DataType = Protocol.DataType.TypeUint32, Dims = { 1 } });
            config.Output.Clear();
            config.Output.Add(new Protocol.ModelOutput { Name = "OUT", DataType = Protocol.DataType.TypeInt32, Dims = { 1 } });
            config.Output.Add(new Protocol.ModelOutput { Name = "IDX", DataType = Protocol.DataType.TypeUint32, Dims = { 1 } });
            config.ModelWarmup.Add(sample);
        });
        using var model = new Model(config, 1, new RepeatBackend().Load(config, ""), new Dictionary<string, string[]>(), TimeProvider.System);
        Assert.False(model.IsWarmed);

        await ModelWarmup.RunAsync(model, "");

        Assert.Equal(1, model.Statistics.Snapshot().Success.Count);
    }

    public void Dispose() => _directory.Delete(recursive: true);

    private static Protocol.ModelWarmup.Types.Input Zeros(Protocol.DataType type, long dimension) => new() { DataType = type, Dims = { dimension }, ZeroData = true };

    private static Protocol.ModelWarmup Sample(Action<Protocol.ModelWarmup.Types.Input> configure, uint batch = 1, uint count = 1)
    {
        var input = new Protocol.ModelWarmup.Types.Input { DataType = Protocol.DataType.TypeInt32, Dims = { 2 } };
        configure(input);
        return new Protocol.ModelWarmup { Name = "s", BatchSize = batch, Count = count, Inputs = { ["X"] = input } };
    }

    private Model Make(Action<Protocol.ModelConfig> configure)
    {
        var config = TestModels.Config(configure);
        return new Model(config, 1, new FunctionModel(Execute), new Dictionary<string, string[]>(), TimeProvider.System, _directory.FullName);
    }

    private TensorSet Execute(TensorSet inputs, CancellationToken cancellation)
    {
        _executed.Enqueue((Environment.CurrentManagedThreadId, MemoryMarshal.Cast<byte, int>(inputs.Find("X")!.Data.Span).ToArray()));
        return TestModels.AddOne(inputs, cancellation);
    }

    private void Write(string name, byte[] content) => File.WriteAllBytes(Path.Combine(_directory.CreateSubdirectory("warmup").FullName, name), content);
}
