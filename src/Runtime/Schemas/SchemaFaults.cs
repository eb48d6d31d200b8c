using System.Text.Json;
using Runtime.Inference;
using Runtime.Tensors;

namespace Runtime.Schemas;

/// <summary>The two ways to write a request as JSON.</summary>
public enum RequestForm
{
    /// <summary><c>{"inputs": [{"name", "shape", "datatype", "data"}]}</c>.</summary>
    Infer,

    /// <summary>An object whose keys that are inputs are tensors; other keys are parameters.</summary>
    Generate,
}

/// <summary>Finds every fault in a request's JSON. Off the hot path: for requests that were refused already.</summary>
internal static class SchemaFaults
{
    // What was refused is not worth a second reading of any size.
    private const int MostBytes = 64 << 20;

    /// <summary>All faults as one error; null where the text is no JSON object, or has no fault that the schema knows.</summary>
    public static InferenceError? Find(ReadOnlyMemory<byte> json, RequestForm form, InputSchema schema, string model, int maxBatchSize)
    {
        if (json.Length > MostBytes)
        {
            return null;
        }

        try
        {
            using var document = JsonDocument.Parse(json);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
            {
                return null;
            }

            var faults = new FaultList(schema, maxBatchSize);
            if (form == RequestForm.Infer)
            {
                new InferFaults(schema, maxBatchSize, faults).Find(document.RootElement);
            }
            else
            {
                FindGenerate(document.RootElement, schema, maxBatchSize, faults);
            }

            return faults.ToError(model);
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>A member's value, the first of equal keys as the readers of requests take it.</summary>
    internal static JsonElement? First(JsonElement element, string name)
    {
        foreach (var member in element.EnumerateObject())
        {
            if (member.NameEquals(name))
            {
                return member.Value;
            }
        }

        return null;
    }

    private static void FindGenerate(JsonElement root, InputSchema schema, int maxBatchSize, FaultList faults)
    {
        var values = new Dictionary<string, JsonElement?>(schema.Inputs.Select(input => KeyValuePair.Create(input.Name, (JsonElement?)null)));
        foreach (var member in root.EnumerateObject())
        {
            if (values.TryGetValue(member.Name, out var earlier) && earlier is null)
            {
                values[member.Name] = member.Value;
            }
        }

        foreach (var input in schema.Inputs)
        {
            if (values[input.Name] is { } value)
            {
                FindIn(value, input, maxBatchSize, faults);
            }
            else if (input.Required)
            {
                faults.AddMissing(input);
            }
        }
    }

    private static void FindIn(JsonElement value, SchemaInput input, int maxBatchSize, FaultList faults)
    {
        var elements = new ElementFaults(input, faults);
        long[] shape = maxBatchSize > 0 ? [-1, .. input.Shape] : input.Shape;
        if (elements.Find(value, "") && !SchemaExample.FitsLength(elements.Count, shape))
        {
            var expected = $"{Shapes.Text(input.Shape)}{(maxBatchSize > 0 ? " or rows of it" : "")}";
            faults.AddTo(input.Name, FaultCodes.WrongLength, $"has {FaultList.Number(elements.Count)} elements, which do not fill the shape {expected}");
        }
    }
}
