using Runtime.Devices;
using Runtime.Models.Configuration;
using Runtime.Tensors;

namespace Runtime.Models;

/// <summary>A model's configuration, immutable; made from the protocol's message, which stays beside it for those who ask for it.</summary>
public sealed record ModelConfig
{
    /// <summary>The message as <c>/config</c> shows it. Not to be changed.</summary>
    public required Protocol.ModelConfig Message { get; init; }

    public required string Name { get; init; }

    public required string Platform { get; init; }

    /// <summary>The backend's name, such as <c>onnxruntime</c>.</summary>
    public required string Backend { get; init; }

    /// <summary>The largest batch in rows; 0 for a model whose shapes have no batch dimension.</summary>
    public required int MaxBatchSize { get; init; }

    public required IReadOnlyList<TensorConfig> Inputs { get; init; }

    public required IReadOnlyList<TensorConfig> Outputs { get; init; }

    /// <summary>The file inside a version's directory; empty for the backend's default.</summary>
    public required string ModelFilename { get; init; }

    public required IReadOnlyDictionary<string, string> Parameters { get; init; }

    /// <summary>Whether one request may get any number of responses.</summary>
    public required bool IsDecoupled { get; init; }

    /// <summary>The devices of the instances that run at once, one for each, at least one.</summary>
    public required IReadOnlyList<Device> InstanceDevices { get; init; }

    /// <summary>Null where requests are executed one by one.</summary>
    public required DynamicBatchingConfig? DynamicBatching { get; init; }

    /// <summary>Null where requests do not belong together.</summary>
    public required SequenceBatchingConfig? SequenceBatching { get; init; }

    public ModelLimits Limits { get; init; } = ModelLimits.Default;

    /// <summary>Whether answers may have outputs that are not listed here.</summary>
    public bool HasOpenOutputs { get; init; }

    /// <summary>Whether the model is a graph of other models.</summary>
    public bool IsEnsemble => Message.EnsembleScheduling is not null;

    /// <summary>Whether answers may come from the response cache.</summary>
    public bool IsCached => Message.ResponseCache is { Enable: true };

    /// <summary>Whether outputs may be left in a device's memory for a receiver that wants them there: nothing else reads them.</summary>
    public bool MayAnswerOnDevice => !IsCached && SequenceBatching is null;

    /// <summary>Whether shapes on the wire begin with a batch dimension.</summary>
    public bool IsBatching => MaxBatchSize > 0;

    /// <summary>Reads the message; it must be complete and checked, but for a configuration that a backend still has to complete.</summary>
    public static ModelConfig From(Protocol.ModelConfig message) => new()
    {
        Message = message,
        Name = message.Name,
        Platform = message.Platform,
        Backend = message.Backend,
        MaxBatchSize = message.MaxBatchSize,
        Inputs = [.. message.Input.Select(input => new TensorConfig(
            input.Name, ConfigDataTypes.From(input.DataType), [.. input.Dims], input.Reshape is null ? null : [.. input.Reshape.Shape], input.Optional))],
        Outputs = [.. message.Output.Select(output => new TensorConfig(
            output.Name, ConfigDataTypes.From(output.DataType), [.. output.Dims], output.Reshape is null ? null : [.. output.Reshape.Shape], false, output.LabelFilename))],
        ModelFilename = message.DefaultModelFilename,
        Parameters = message.Parameters.ToDictionary(parameter => parameter.Key, parameter => parameter.Value.StringValue),
        IsDecoupled = message.ModelTransactionPolicy?.Decoupled ?? false,
        InstanceDevices = InstancePlacement.Devices(message),
        DynamicBatching = message.SequenceBatching is not null && message.MaxBatchSize > 0
            ? SequenceBatchingConfig.BatchingOf(message.SequenceBatching)
            : DynamicBatchingConfig.From(message.DynamicBatching),
        SequenceBatching = SequenceBatchingConfig.From(message.SequenceBatching),
    };
}

/// <summary>An input or output as the configuration declares it; dims exclude the batch dimension, -1 where they vary.</summary>
/// <param name="Name">The tensor's name.</param>
/// <param name="Type">Its datatype.</param>
/// <param name="Dims">The dimensions that clients see.</param>
/// <param name="Reshape">The dimensions that the model file sees, where they differ.</param>
/// <param name="Optional">Whether a request may leave the input out.</param>
/// <param name="LabelFilename">The file of class labels beside the configuration; empty for none.</param>
public sealed record TensorConfig(string Name, DataType Type, long[] Dims, long[]? Reshape, bool Optional = false, string LabelFilename = "")
{
    /// <summary>The shape that clients see: dims, behind -1 where the model batches.</summary>
    public long[] ClientShape(bool isBatching) => isBatching ? [-1, .. Dims] : Dims;

    /// <summary>The shape that the model file sees.</summary>
    public long[] ModelShape(bool isBatching) => isBatching ? [-1, .. Reshape ?? Dims] : Reshape ?? Dims;
}

/// <summary>What happens to a request that waited longer than it may.</summary>
public enum TimeoutAction
{
    /// <summary>It fails.</summary>
    Reject,

    /// <summary>It is served when nothing else waits.</summary>
    Delay,
}

/// <summary>A queue's rules; <see cref="MaxQueueSize"/> 0 is the model's limit, <see cref="DefaultTimeoutMicroseconds"/> 0 is no timeout.</summary>
public sealed record QueuePolicyConfig(TimeoutAction TimeoutAction, ulong DefaultTimeoutMicroseconds, bool AllowTimeoutOverride, uint MaxQueueSize)
{
    public static QueuePolicyConfig Default { get; } = new(TimeoutAction.Reject, 0, false, 0);

    internal static QueuePolicyConfig From(Protocol.ModelQueuePolicy? policy) => policy is null
        ? Default
        : new((TimeoutAction)policy.TimeoutAction, policy.DefaultTimeoutMicroseconds, policy.AllowTimeoutOverride, policy.MaxQueueSize);
}

/// <summary>How requests of equal shape are put together.</summary>
public sealed record DynamicBatchingConfig
{
    /// <summary>Rows at which a batch is sent without waiting further, ascending; empty means only a full one.</summary>
    public required IReadOnlyList<int> PreferredBatchSizes { get; init; }

    /// <summary>How long the oldest request may wait for company.</summary>
    public required ulong MaxQueueDelayMicroseconds { get; init; }

    /// <summary>Whether responses leave in the order in which the requests came.</summary>
    public required bool PreserveOrdering { get; init; }

    /// <summary>How many priorities there are, 1 the highest; 0 for one queue without priorities.</summary>
    public required int PriorityLevels { get; init; }

    /// <summary>The priority of requests that name none.</summary>
    public required int DefaultPriorityLevel { get; init; }

    public required QueuePolicyConfig DefaultQueuePolicy { get; init; }

    /// <summary>Policies by priority, where they differ from the default.</summary>
    public required IReadOnlyDictionary<int, QueuePolicyConfig> PriorityQueuePolicies { get; init; }

    internal static DynamicBatchingConfig? From(Protocol.ModelDynamicBatching? message) => message is null ? null : new()
    {
        PreferredBatchSizes = [.. message.PreferredBatchSize.Order()],
        MaxQueueDelayMicroseconds = message.MaxQueueDelayMicroseconds,
        PreserveOrdering = message.PreserveOrdering,
        PriorityLevels = (int)message.PriorityLevels,
        DefaultPriorityLevel = (int)message.DefaultPriorityLevel,
        DefaultQueuePolicy = QueuePolicyConfig.From(message.DefaultQueuePolicy),
        PriorityQueuePolicies = message.PriorityQueuePolicy.ToDictionary(policy => (int)policy.Key, policy => QueuePolicyConfig.From(policy.Value)),
    };
}

/// <summary>Between the configuration's datatypes and ours.</summary>
public static class ConfigDataTypes
{
    /// <summary>Our datatype; a field that is not set reads as BOOL, so check before.</summary>
    public static DataType From(Protocol.DataType type) => type switch
    {
        Protocol.DataType.TypeUint8 => DataType.Uint8,
        Protocol.DataType.TypeUint16 => DataType.Uint16,
        Protocol.DataType.TypeUint32 => DataType.Uint32,
        Protocol.DataType.TypeUint64 => DataType.Uint64,
        Protocol.DataType.TypeInt8 => DataType.Int8,
        Protocol.DataType.TypeInt16 => DataType.Int16,
        Protocol.DataType.TypeInt32 => DataType.Int32,
        Protocol.DataType.TypeInt64 => DataType.Int64,
        Protocol.DataType.TypeFp16 => DataType.Fp16,
        Protocol.DataType.TypeBf16 => DataType.Bf16,
        Protocol.DataType.TypeFp32 => DataType.Fp32,
        Protocol.DataType.TypeFp64 => DataType.Fp64,
        Protocol.DataType.TypeString => DataType.Bytes,
        _ => DataType.Bool,
    };

    /// <summary>The configuration's datatype.</summary>
    public static Protocol.DataType To(DataType type) => Enum.Parse<Protocol.DataType>("Type" + (type == DataType.Bytes ? "String" : type.ToString()));
}
