using System.Globalization;
using Runtime.Inference;
using Runtime.Models.Configuration;
using Runtime.Tensors;

namespace Runtime.Schemas;

/// <summary>Collects a request's faults up to a bound, and words them.</summary>
internal sealed class FaultList(InputSchema schema, int maxBatchSize)
{
    /// <summary>How many faults are told.</summary>
    public const int Most = 64;

    private const int LongestName = 128;
    private readonly List<ErrorDetail> _faults = [];
    private bool _hasMore;

    public IReadOnlyList<ErrorDetail> Faults => _faults;

    /// <summary>Whether no more is worth finding.</summary>
    public bool IsFull => _hasMore;

    public void Add(string input, string code, string message)
    {
        _hasMore |= _faults.Count == Most;
        if (!_hasMore)
        {
            _faults.Add(new(Name(input), code, message));
        }
    }

    /// <summary>Adds a fault whose message begins with the input's name.</summary>
    public void AddTo(string input, string code, string fault) => Add(input, code, $"input '{Name(input)}' {fault}");

    public void AddMissing(SchemaInput input) => AddTo(input.Name, FaultCodes.Missing, "is required but missing");

    public void AddDuplicate(string input) => AddTo(input, FaultCodes.Duplicate, "is there more than once");

    public void AddUnknown(string input)
    {
        var names = schema.Inputs.Select(known => known.Name).ToArray();
        var shown = string.Join(", ", names.Take(16).Select(name => $"'{Name(name)}'")) + (names.Length > 16 ? ", ..." : "");
        AddTo(input, FaultCodes.Unknown, $"is none of the model's inputs, {shown}{Suggestion.For(input, names)}");
    }

    public void AddDatatype(SchemaInput input, string found)
        => AddTo(input.Name, FaultCodes.WrongDatatype, $"has the datatype {Name(found)}, expected {input.TypeName}");

    public void AddShape(SchemaInput input, ReadOnlySpan<long> shape, ShapeFault fault, long rows)
    {
        var expected = Shapes.Text(input.Shape);
        AddTo(input.Name, FaultCodes.WrongShape, fault switch
        {
            ShapeFault.NotBatching => $"has the shape {Shapes.Text(shape)}, {Number(rows)} rows of {expected}, but the model takes no batches",
            ShapeFault.TooManyRows => $"has the shape {Shapes.Text(shape)}, {Number(rows)} rows of {expected}, but the model takes at most {Number(maxBatchSize)}",
            _ => $"has the shape {Shapes.Text(shape)}, expected {expected}{(maxBatchSize > 0 ? " or rows of it" : "")}",
        });
    }

    public void AddRows(SchemaInput input, long rows, long expected)
        => AddTo(input.Name, FaultCodes.WrongShape, $"has {Number(rows)} rows, the inputs before it have {Number(expected)}");

    /// <summary>All faults as one error; null where there is none.</summary>
    public InferenceError? ToError(string model)
    {
        if (_faults.Count == 0)
        {
            return null;
        }

        var all = string.Join("; ", _faults.Select(fault => fault.Message)) + (_hasMore ? "; and more" : "");
        return InferenceError.InvalidArgument($"invalid request for model '{model}': {all}") with { Details = _faults };
    }

    public static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);

    /// <summary>A name of the client's, cut where it is too long to be shown.</summary>
    public static string Name(string name) => name.Length <= LongestName ? name : name[..(char.IsHighSurrogate(name[LongestName - 1]) ? LongestName - 1 : LongestName)] + "...";
}
