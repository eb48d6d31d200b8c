using Runtime.Functions.Execution;
using Runtime.Models;
using Runtime.Tensors;

namespace Runtime.Functions;

/// <summary>An input or output of a bound function; dims are without a batch dimension, -1 where they vary.</summary>
public sealed record FunctionTensor(string Name, DataType Type, params long[] Dims)
{
    /// <summary>Whether a request may leave the input out.</summary>
    public bool IsOptional { get; init; }
}

/// <summary>How a bound function is served.</summary>
public sealed record FunctionModelOptions
{
    /// <summary>The most rows that are answered together; 0 for a function whose shapes have no batch dimension.</summary>
    public int BatchSize { get; init; }

    /// <summary>How long a request may wait for others to be answered with.</summary>
    public TimeSpan BatchWindow { get; init; }

    public IReadOnlyDictionary<string, string> Parameters { get; init; } = new Dictionary<string, string>();
}

/// <summary>A delegate with named inputs and outputs, to be served as a model. Without outputs it names them itself.</summary>
public sealed class FunctionModel
{
    private readonly Func<Function> _create;

    private FunctionModel(Protocol.ModelConfig config, FunctionForm form, Func<Function> create) => (Config, Form, _create) = (config, form, create);

    public string Name => Config.Name;

    /// <summary>The model's configuration, for <see cref="ModelRepository"/>.</summary>
    public Protocol.ModelConfig Config { get; }

    internal FunctionForm Form { get; }

    /// <summary>Answers one request, or one row of it.</summary>
    public static FunctionModel Bind(
        string name, IReadOnlyList<FunctionTensor> inputs, IReadOnlyList<FunctionTensor> outputs, Func<Inputs, FunctionRequest, ValueTask<Outputs>> infer, FunctionModelOptions? options = null)
        => new(Configure(name, inputs, outputs, options), new FunctionForm(true, false, false), () => new BoundFunction { Infer = infer });

    /// <summary>Answers batches: as many outputs as inputs, in their order.</summary>
    public static FunctionModel BindBatch(
        string name,
        IReadOnlyList<FunctionTensor> inputs,
        IReadOnlyList<FunctionTensor> outputs,
        Func<IReadOnlyList<Inputs>, CancellationToken, ValueTask<IReadOnlyList<Outputs>>> infer,
        FunctionModelOptions options)
        => new(Configure(name, inputs, outputs, options), new FunctionForm(false, true, false), () => new BoundFunction { InferBatch = infer });

    /// <summary>Answers a request piece by piece.</summary>
    public static FunctionModel BindStream(
        string name, IReadOnlyList<FunctionTensor> inputs, IReadOnlyList<FunctionTensor> outputs, Func<Inputs, FunctionRequest, IAsyncEnumerable<Outputs>> stream, FunctionModelOptions? options = null)
        => new(Configure(name, inputs, outputs, options), new FunctionForm(false, false, true), () => new BoundFunction { Stream = stream });

    internal Function Create() => _create();

    private static Protocol.ModelConfig Configure(string name, IReadOnlyList<FunctionTensor> inputs, IReadOnlyList<FunctionTensor> outputs, FunctionModelOptions? options)
    {
        var config = new Protocol.ModelConfig { Name = name, Backend = BoundFunctions.BackendName, MaxBatchSize = options?.BatchSize ?? 0 };
        config.Input.AddRange(inputs.Select(input => new Protocol.ModelInput { Name = input.Name, DataType = ConfigDataTypes.To(input.Type), Dims = { input.Dims }, Optional = input.IsOptional }));
        config.Output.AddRange(outputs.Select(output => new Protocol.ModelOutput { Name = output.Name, DataType = ConfigDataTypes.To(output.Type), Dims = { output.Dims } }));
        foreach (var (key, value) in options?.Parameters ?? new Dictionary<string, string>())
        {
            config.Parameters[key] = new Protocol.ModelParameter { StringValue = value };
        }

        if (options is { BatchSize: > 1 })
        {
            config.DynamicBatching = new() { MaxQueueDelayMicroseconds = (ulong)options.BatchWindow.TotalMicroseconds };
        }

        return config;
    }

    private sealed class BoundFunction : Function
    {
        public Func<Inputs, FunctionRequest, ValueTask<Outputs>>? Infer { get; init; }

        public Func<IReadOnlyList<Inputs>, CancellationToken, ValueTask<IReadOnlyList<Outputs>>>? InferBatch { get; init; }

        public Func<Inputs, FunctionRequest, IAsyncEnumerable<Outputs>>? Stream { get; init; }

        public override ValueTask<Outputs> InferAsync(Inputs inputs, FunctionRequest request) => Infer!(inputs, request);

        public override ValueTask<IReadOnlyList<Outputs>> InferBatchAsync(IReadOnlyList<Inputs> batch, CancellationToken cancellation) => InferBatch!(batch, cancellation);

        public override IAsyncEnumerable<Outputs> StreamAsync(Inputs inputs, FunctionRequest request) => Stream!(inputs, request);
    }
}
