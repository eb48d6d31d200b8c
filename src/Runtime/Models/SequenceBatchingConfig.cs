using System.Buffers.Binary;
using System.Text;
using Runtime.Tensors;

namespace Runtime.Models;

/// <summary>What a control input tells the model about its request.</summary>
public enum SequenceControlKind
{
    Start,
    Ready,
    End,
    CorrelationId,
}

/// <summary>An input that the scheduler fills: one element a request.</summary>
/// <param name="Name">The model's input.</param>
/// <param name="Kind">What it tells.</param>
/// <param name="Type">Its datatype.</param>
/// <param name="False">The element's bytes for no; empty for a correlation id.</param>
/// <param name="True">The element's bytes for yes.</param>
public sealed record SequenceControlConfig(string Name, SequenceControlKind Kind, DataType Type, byte[] False, byte[] True);

/// <summary>A state that goes from an output of one request of a sequence to an input of the next.</summary>
/// <param name="InputName">The model's input.</param>
/// <param name="OutputName">The model's output.</param>
/// <param name="Type">The datatype of both.</param>
/// <param name="Dims">The dimensions without the batch; those that vary begin as 1.</param>
/// <param name="InitialType">The datatype of the initial value.</param>
/// <param name="InitialFile">The file under <c>initial_state/</c> that a sequence begins with; empty for zeros.</param>
/// <param name="InitialDims">The dimensions of the initial value.</param>
public sealed record SequenceStateConfig(string InputName, string OutputName, DataType Type, long[] Dims, DataType InitialType, string InitialFile, long[] InitialDims);

/// <summary>How requests that belong together are kept in order, and what the model is told and remembers.</summary>
public sealed record SequenceBatchingConfig(ulong MaxIdleMicroseconds, IReadOnlyList<SequenceControlConfig> Controls, IReadOnlyList<SequenceStateConfig> States)
{
    private const ulong DefaultIdleMicroseconds = 1_000_000;

    internal static SequenceBatchingConfig? From(Protocol.ModelSequenceBatching? message) => message is null ? null : new(
        message.MaxSequenceIdleMicroseconds == 0 ? DefaultIdleMicroseconds : message.MaxSequenceIdleMicroseconds,
        [.. message.ControlInput.SelectMany(input => input.Control.Select(control => Control(input.Name, control)))],
        [.. message.State.Select(State)]);

    /// <summary>How requests of different sequences share a batch.</summary>
    internal static DynamicBatchingConfig BatchingOf(Protocol.ModelSequenceBatching message) => new()
    {
        PreferredBatchSizes = [.. (message.Oldest?.PreferredBatchSize ?? []).Order()],
        MaxQueueDelayMicroseconds = message.Oldest?.MaxQueueDelayMicroseconds ?? message.Direct?.MaxQueueDelayMicroseconds ?? 0,
        PreserveOrdering = message.Oldest?.PreserveOrdering ?? false,
        PriorityLevels = 0,
        DefaultPriorityLevel = 0,
        DefaultQueuePolicy = QueuePolicyConfig.Default,
        PriorityQueuePolicies = new Dictionary<int, QueuePolicyConfig>(),
    };

    private static SequenceControlConfig Control(string name, Protocol.ModelSequenceBatching.Types.Control control)
    {
        var kind = (SequenceControlKind)control.Kind;
        if (kind == SequenceControlKind.CorrelationId)
        {
            return new(name, kind, ConfigDataTypes.From(control.DataType), [], []);
        }

        return control switch
        {
            { Fp32FalseTrue.Count: 2 } => new(name, kind, DataType.Fp32, Bytes(control.Fp32FalseTrue[0]), Bytes(control.Fp32FalseTrue[1])),
            { BoolFalseTrue.Count: 2 } => new(name, kind, DataType.Bool, [(byte)(control.BoolFalseTrue[0] ? 1 : 0)], [(byte)(control.BoolFalseTrue[1] ? 1 : 0)]),
            { Int32FalseTrue.Count: 2 } => new(name, kind, DataType.Int32, Bytes(control.Int32FalseTrue[0]), Bytes(control.Int32FalseTrue[1])),
            _ => throw new Inference.InferenceException(
                Inference.ErrorCode.InvalidArgument, $"sequence control input '{name}' must give two values, for false and true, in one of int32_false_true, fp32_false_true, bool_false_true"),
        };
    }

    private static SequenceStateConfig State(Protocol.ModelSequenceBatching.Types.State state)
    {
        var initial = state.InitialState.FirstOrDefault();
        var dims = initial is { Dims.Count: > 0 } ? initial.Dims : state.Dims;
        var type = ConfigDataTypes.From(state.DataType);
        var initialType = initial is null || initial.DataType == Protocol.DataType.TypeInvalid ? type : ConfigDataTypes.From(initial.DataType);
        return new(state.InputName, state.OutputName, type, [.. state.Dims], initialType, initial?.DataFile ?? "", [.. dims.Select(dimension => dimension < 0 ? 1 : dimension)]);
    }

    private static byte[] Bytes(int value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, value);
        return bytes;
    }

    private static byte[] Bytes(float value) => Bytes(BitConverter.SingleToInt32Bits(value));
}

/// <summary>A sequence's name on the wire: a number or a string, never both.</summary>
internal readonly record struct CorrelationId(ulong Number, string Text)
{
    public bool IsNone => Number == 0 && Text.Length == 0;

    public override string ToString() => Text.Length > 0 ? Text : Number.ToString(System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>As the one element of a control input; null where the datatype cannot hold it.</summary>
    public byte[]? ToBytes(DataType type)
    {
        if (type == DataType.Bytes)
        {
            var text = Encoding.UTF8.GetBytes(ToString());
            var element = new byte[4 + text.Length];
            BinaryPrimitives.WriteInt32LittleEndian(element, text.Length);
            text.CopyTo(element, 4);
            return element;
        }

        var size = type.Size();
        var bits = (size * 8) - (type is DataType.Int32 or DataType.Int64 ? 1 : 0);
        if (Text.Length > 0 || (bits < 64 && Number >> bits != 0))
        {
            return null;
        }

        var bytes = new byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, Number);
        return bytes[..size];
    }
}
