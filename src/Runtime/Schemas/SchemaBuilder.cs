using Runtime.Models.Configuration;

namespace Runtime.Schemas;

/// <summary>Makes a schema of what a reader found.</summary>
internal static class SchemaBuilder
{
    private static readonly string[] KnownFields = ["datatype", "shape", "required", "example"];

    /// <exception cref="ModelConfigException">The schema breaks its rules; the message has all faults.</exception>
    public static InputSchema Build(SchemaFile file)
    {
        var draft = new SchemaDraft(file);
        var result = SchemaRules.Instance.Validate(draft);
        if (!result.IsValid)
        {
            throw new ModelConfigException(string.Join("; ", result.Errors.Select(error => error.ErrorMessage)));
        }

        return new InputSchema
        {
            Source = file.Name,
            Inputs = [.. draft.Inputs.Select(input => Build(file, input))],
            BatchSize = Integer(draft.BatchSize),
            BatchWindowMilliseconds = Integer(draft.BatchWindow),
            IsStreamingOutput = draft.IsStreamingOutput?.Value is BoolLiteral { Value: true },
            Warnings = [.. file.Warnings],
        };
    }

    private static SchemaInput Build(SchemaFile file, InputDraft draft)
    {
        WarnOfFields(file, draft);
        var datatype = ((TextLiteral)draft.Datatype!).Value;
        _ = SchemaDatatypes.TryParse(datatype, out var type);
        long[] shape = [.. ((ListLiteral)draft.Shape!).Items.Select(item => (long)((IntegerLiteral)item).Value)];
        var input = new SchemaInput(draft.Name, type, SchemaDatatypes.IsText(datatype), shape, ((BoolLiteral)draft.Required!).Value);
        if (draft.Example is null or NoneLiteral)
        {
            return input;
        }

        var fault = SchemaExample.TryRead(draft.Example, input, out var example);
        if (fault is not null)
        {
            file.Warn(fault.Place, $"input '{Literal.Short(input.Name)}': the example does not fit and is left out: {fault.Message}");
        }

        return input with { Example = example };
    }

    private static void WarnOfFields(SchemaFile file, InputDraft draft)
    {
        var seen = new HashSet<string>();
        foreach (var (key, _) in draft.Fields!.Entries)
        {
            var name = (key as TextLiteral)?.Value;
            if (name is null || !KnownFields.Contains(name))
            {
                var shown = name is null ? key.Describe() : $"'{Literal.Short(name)}'";
                file.Warn(key.Place, $"input '{Literal.Short(draft.Name)}': {shown} is not known and is ignored{Suggestion.For(name ?? "", KnownFields)}");
            }
            else if (!seen.Add(name))
            {
                file.Warn(key.Place, $"input '{Literal.Short(draft.Name)}': '{name}' is there twice; the later value counts");
            }
        }
    }

    private static int Integer(SchemaEntry? entry) => entry?.Value is IntegerLiteral { Value: var value } ? (int)value : 0;
}
