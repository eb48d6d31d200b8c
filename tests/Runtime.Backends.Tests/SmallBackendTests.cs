using Runtime.Devices;
using Runtime.Inference;
using Runtime.Models;
using Runtime.Tensors;

namespace Runtime.Backends.Tests;

public sealed class SmallBackendTests : PoolTest
{
    [Fact]
    public void Identity_OptionalInputMissing_GivesZerosOfItsDims()
    {
        var config = Identity(maxBatchSize: 8, new TensorConfig("A", DataType.Int32, [2], null), new TensorConfig("B", DataType.Bytes, [3], null, Optional: true));
        using var inputs = new TensorSet().With("A", DataType.Int32, [2, 2], 1, 2, 3, 4);
        using var outputs = Execute(config, inputs, CancellationToken.None);
        Assert.Equal([1, 2, 3, 4], outputs.Values<int>("OUT0"));
        Assert.Equal([2, 3], outputs.Find("OUT1")!.Shape);
        Assert.Equal(new byte[24], outputs.Find("OUT1")!.Data.ToArray());
    }

    [Fact]
    public void Identity_InputsInAnotherOrder_TakesPositionsFromTheConfiguration()
    {
        var config = Identity(0, new TensorConfig("A", DataType.Int32, [1], null), new TensorConfig("B", DataType.Int32, [1], null));
        using var inputs = new TensorSet().With("B", DataType.Int32, [1], 2).With("A", DataType.Int32, [1], 1);
        using var outputs = Execute(config, inputs, CancellationToken.None);
        Assert.Equal([1], outputs.Values<int>("OUT0"));
        Assert.Equal([2], outputs.Values<int>("OUT1"));
    }

    [Fact]
    public void Identity_CancelledInItsDelay_Throws()
    {
        var config = Identity(0, new TensorConfig("A", DataType.Int32, [1], null)) with
        {
            Parameters = new Dictionary<string, string> { ["execute_delay_ms"] = "2000000000" },
        };
        using var inputs = new TensorSet().With("A", DataType.Int32, [1], 1);
        using var cancellation = new CancellationTokenSource();
        var execution = Task.Run(() => Execute(config, inputs, cancellation.Token));
        cancellation.Cancel();
        Assert.Throws<OperationCanceledException>(() => execution.GetAwaiter().GetResult());
    }

    [Fact]
    public void Identity_DelayUnfit_SaysWhatWasExpected()
    {
        var config = Identity(0, new TensorConfig("A", DataType.Int32, [1], null)) with
        {
            Parameters = new Dictionary<string, string> { ["execute_delay_ms"] = "soon" },
        };
        var exception = Assert.Throws<InferenceException>(() => new IdentityBackend().Load(config, "").CreateInstance(config, Device.Cpu));
        Assert.Equal("parameter 'execute_delay_ms' of model 'small' must be a whole number of milliseconds, got 'soon'", exception.Message);
    }

    [Fact]
    public async Task Repeat_ThreeElements_AnswersEachWithItsPosition()
    {
        using var inputs = RepeatInputs([4, 2, 7], [1, 0, 0]);
        var responses = new List<(int Output, uint Position)>();
        await foreach (var response in Stream(new RepeatBackend(), RepeatConfig()).ExecuteAsync(Request(inputs), CancellationToken.None))
        {
            using (response)
            {
                responses.Add((response.Values<int>("OUT")[0], response.Values<uint>("IDX")[0]));
            }
        }

        Assert.Equal([(4, 0u), (2, 1u), (7, 2u)], responses);
    }

    [Fact]
    public async Task Repeat_DelayOfAnotherShape_SaysBothShapes()
    {
        using var inputs = RepeatInputs([4, 2], [1]);
        var stream = Stream(new RepeatBackend(), RepeatConfig()).ExecuteAsync(Request(inputs), CancellationToken.None).GetAsyncEnumerator();
        var exception = await Assert.ThrowsAsync<InferenceException>(() => stream.MoveNextAsync().AsTask());
        Assert.Equal("expected IN and DELAY shape to match, got [2] and [1]", exception.Message);
    }

    [Fact]
    public async Task Repeat_CancelledInADelay_Throws()
    {
        using var inputs = RepeatInputs([4], [uint.MaxValue]);
        using var cancellation = new CancellationTokenSource();
        var next = Stream(new RepeatBackend(), RepeatConfig()).ExecuteAsync(Request(inputs), cancellation.Token).GetAsyncEnumerator().MoveNextAsync();
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => next.AsTask());
    }

    [Theory]
    [InlineData(3, 3)]
    [InlineData(0, 0)]
    [InlineData(-2, 0)]
    public async Task Square_Value_IsAnsweredThatOften(int value, int times)
    {
        var config = Config("square", [("IN", DataType.Int32)], [("OUT", DataType.Int32)]);
        using var inputs = new TensorSet().With("IN", DataType.Int32, [1], value);
        var responses = new List<int>();
        await foreach (var response in Stream(new SquareBackend(), config).ExecuteAsync(Request(inputs), CancellationToken.None))
        {
            using (response)
            {
                responses.Add(response.Values<int>("OUT")[0]);
            }
        }

        Assert.Equal(Enumerable.Repeat(value, times), responses);
    }

    [Fact]
    public void Square_NotDecoupled_IsRefused()
    {
        var config = Config("square", [("IN", DataType.Int32)], [("OUT", DataType.Int32)]) with { IsDecoupled = false };
        Assert.Throws<InferenceException>(() => Stream(new SquareBackend(), config));
    }

    private static ModelConfig Identity(int maxBatchSize, params TensorConfig[] inputs) => ModelConfig.From(new Protocol.ModelConfig { Name = "small" }) with
    {
        MaxBatchSize = maxBatchSize,
        Inputs = inputs,
        Outputs = [.. inputs.Select((input, i) => input with { Name = "OUT" + i })],
    };

    private static TensorSet Execute(ModelConfig config, TensorSet inputs, CancellationToken cancellation)
    {
        using var instance = (IModelInstance)new IdentityBackend().Load(config, "").CreateInstance(config, Device.Cpu);
        return instance.Execute(inputs, cancellation);
    }

    private static ModelConfig RepeatConfig() => Config(
        "repeat", [("IN", DataType.Int32), ("DELAY", DataType.Uint32), ("WAIT", DataType.Uint32)], [("OUT", DataType.Int32), ("IDX", DataType.Uint32)]);

    private static ModelConfig Config(string backend, (string Name, DataType Type)[] inputs, (string Name, DataType Type)[] outputs)
        => ModelConfig.From(new Protocol.ModelConfig { Name = "small", Backend = backend }) with
        {
            IsDecoupled = true,
            Inputs = [.. inputs.Select(input => new TensorConfig(input.Name, input.Type, [-1], null))],
            Outputs = [.. outputs.Select(output => new TensorConfig(output.Name, output.Type, [1], null))],
        };

    /// <summary>A request that shows the inputs, which stay the caller's.</summary>
    private static InferenceRequest Request(TensorSet inputs)
    {
        var request = new InferenceRequest();
        foreach (var tensor in inputs.Tensors)
        {
            request.Inputs.Add(tensor);
        }

        return request;
    }

    private static IStreamingInstance Stream(IBackend backend, ModelConfig config) => (IStreamingInstance)backend.Load(config, "").CreateInstance(config, Device.Cpu);

    private static TensorSet RepeatInputs(int[] values, uint[] delays) => new TensorSet(capacity: 3)
        .With("IN", DataType.Int32, [values.Length], values)
        .With("DELAY", DataType.Uint32, [delays.Length], delays)
        .With("WAIT", DataType.Uint32, [1], 1u);
}
