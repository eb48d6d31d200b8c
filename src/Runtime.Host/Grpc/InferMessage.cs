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
