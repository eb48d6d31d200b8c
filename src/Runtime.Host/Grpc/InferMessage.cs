using System.Buffers;
using Runtime.Inference;

namespace Runtime.Host.Grpc;

/// <summary>
/// A ModelInferRequest taken apart but not yet understood: what <see cref="InferRequestDecoder"/> found on the wire. Its
/// memory belongs to the frame.
/// </summary>
internal sealed class InferMessage
{
    public string ModelName { get; set; } = "";

    public string ModelVersion { get; set; } = "";

    public string Id { get; set; } = "";

    /// <summary>In the order of the wire, where the last of two equal keys counts; the value is null where none was set.</summary>
    public List<(string Key, ParameterValue? Value)>? Parameters { get; set; }

    public List<WireTensor> Inputs { get; } = new(2);

    public List<WireTensor>? Outputs { get; set; }

    public List<ReadOnlySequence<byte>> RawContents { get; } = new(2);

    /// <summary>The request parameter of that name, if it is a bool; otherwise false.</summary>
    public bool Flag(string name)
    {
        var found = Parameters?.FindLast(parameter => parameter.Key == name).Value;
        return found is { Kind: ParameterKind.Bool } value && value.AsBool;
    }
}

/// <summary>What names a request; empty where it is not there.</summary>
internal readonly record struct InferHead(string ModelName, string ModelVersion, string Id)
{
    public static InferHead None => new("", "", "");

    /// <summary>The same with the message's field of that number, 1 to 3.</summary>
    public InferHead With(int field, string text) => field switch
    {
        1 => this with { ModelName = text },
        2 => this with { ModelVersion = text },
        _ => this with { Id = text },
    };
}

/// <summary>An input, or a requested output, which has only a name and parameters.</summary>
internal struct WireTensor()
{
    public ReadOnlyMemory<byte> Name { get; set; }

    public ReadOnlyMemory<byte> DataType { get; set; }

    public long[] Shape { get; set; } = [];

    /// <summary>The typed contents as their message's bytes; null where there are none, not even an empty message.</summary>
    public ReadOnlyMemory<byte>? Contents { get; set; }

    public List<(string Key, ParameterValue? Value)>? Parameters { get; set; }
}
