using System.Numerics;
using FluentValidation;

namespace Runtime.Schemas;

/// <summary>What a schema must hold; every message begins with its place.</summary>
internal sealed class SchemaRules : AbstractValidator<SchemaDraft>
{
    private const int MostInputs = 1024;

    /// <summary>Building the rules costs more than any schema.</summary>
    public static SchemaRules Instance { get; } = new();

    private SchemaRules()
    {
        RuleFor(draft => draft.Schema).NotNull()
            .WithMessage(draft => $"{draft.File.Name}: expected {SchemaFile.Inputs} = {{...}}, found none");
        When(draft => draft.Schema is not null, () =>
        {
            RuleFor(draft => draft.Schema!.Value).Must(value => value is MapLiteral)
                .WithMessage(draft => At(draft, draft.Schema!, "expected a dictionary"));
            RuleFor(draft => draft.Inputs).Must((draft, inputs) => draft.Schema!.Value is not MapLiteral || inputs.Count is > 0 and <= MostInputs)
                .WithMessage(draft => draft.File.Text(draft.Schema!.Value.Place, $"{SchemaFile.Inputs}: expected 1 to {MostInputs} inputs, found {draft.Inputs.Count}"));
        });
        RuleFor(draft => draft.Inputs).Custom((inputs, context) => CheckNames(inputs, context.AddFailure));
        RuleForEach(draft => draft.Inputs).SetValidator(new InputRules());
        FlagRules();
    }

    private void FlagRules()
    {
        RuleFor(draft => draft.BatchSize).Must(entry => IsBetween(entry, 1))
            .WithMessage(draft => At(draft, draft.BatchSize!, "expected an integer of 1 or more"));
        RuleFor(draft => draft.BatchWindow).Must(entry => IsBetween(entry, 0))
            .WithMessage(draft => At(draft, draft.BatchWindow!, "expected milliseconds, an integer of 0 or more"));
        RuleFor(draft => draft.IsStreamingOutput).Must(entry => entry is null or { Value: BoolLiteral })
            .WithMessage(draft => At(draft, draft.IsStreamingOutput!, "expected True or False"));
    }

    private static bool IsBetween(SchemaEntry? entry, int least)
        => entry is null || (entry.Value is IntegerLiteral { Value: var value } && value >= least && value <= int.MaxValue);

    private static string At(SchemaDraft draft, SchemaEntry entry, string expected)
        => draft.File.Text(entry.Value.Place, $"{entry.Name}: {expected}, found {entry.Value.Describe()}");

    private static void CheckNames(IReadOnlyList<InputDraft> inputs, Action<string> fail)
    {
        var seen = new Dictionary<string, InputDraft>();
        foreach (var input in inputs)
        {
            if (input.Name.Length > 0 && !seen.TryAdd(input.Name, input))
            {
                fail(input.File.Text(input.Key.Place, $"input '{Literal.Short(input.Name)}' is already in line {seen[input.Name].Key.Place.Line}"));
            }
        }
    }

    /// <summary>The rules of one input.</summary>
    private sealed class InputRules : AbstractValidator<InputDraft>
    {
        // What NumPy allows at least.
        private const int MostDimensions = 32;

        public InputRules()
        {
            RuleFor(input => input.Name).NotEmpty()
                .WithMessage(input => input.File.Text(input.Key.Place, $"expected an input's name, a string that is not empty, found {input.Key.Describe()}"));
            RuleFor(input => input.Fields).NotNull()
                .WithMessage(input => At(input, input.Body, "expected a dictionary with 'datatype', 'shape' and 'required'"));
            When(input => input.Fields is not null, () =>
            {
                RuleFor(input => input.Datatype).Must(datatype => datatype is TextLiteral { Value: var name } && SchemaDatatypes.TryParse(name, out _))
                    .WithMessage(input => Field(input, "datatype", input.Datatype, $"one of {string.Join(", ", SchemaDatatypes.Names)}"));
                RuleFor(input => input.Shape).Must(shape => shape is ListLiteral { Items.Count: > 0 and <= MostDimensions })
                    .WithMessage(input => Field(input, "shape", input.Shape, $"a list of 1 to {MostDimensions} dimensions"));
                RuleFor(input => input.Shape).Custom((_, context) => CheckDimensions(context.InstanceToValidate, context.AddFailure));
                RuleFor(input => input.Required).Must(required => required is BoolLiteral)
                    .WithMessage(input => Field(input, "required", input.Required, "True or False"));
            });
        }

        private static void CheckDimensions(InputDraft input, Action<string> fail)
        {
            var items = (input.Shape as ListLiteral)?.Items ?? [];
            var wrong = items.FirstOrDefault(item => item is not IntegerLiteral { Value: var value } || !(value == -1 || (value >= 1 && value <= long.MaxValue)));
            if (wrong is not null)
            {
                fail(Field(input, "shape", wrong, "dimensions of 1 or more, or -1 for a length that varies"));
            }
            else if (items.Aggregate(BigInteger.One, (product, item) => product * BigInteger.Max(1, ((IntegerLiteral)item).Value)) > long.MaxValue)
            {
                fail(input.File.Text(input.Shape!.Place, $"input '{Literal.Short(input.Name)}': 'shape' has more elements than can be counted"));
            }
        }

        private static string Field(InputDraft input, string field, Literal? value, string expected)
            => At(input, value ?? input.Body, $"'{field}': expected {expected}", value?.Describe() ?? "none");

        private static string At(InputDraft input, Literal place, string expected, string? found = null)
            => input.File.Text(place.Place, $"input '{Literal.Short(input.Name)}': {expected}, found {found ?? place.Describe()}");
    }
}
