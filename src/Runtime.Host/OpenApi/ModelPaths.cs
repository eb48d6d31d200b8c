using Microsoft.OpenApi;
using Runtime.Host.Http;
using Runtime.Models;

namespace Runtime.Host.OpenApi;

/// <summary>The paths of one loaded model, with its own inputs, outputs and examples.</summary>
internal static class ModelPaths
{
    public static void AddTo(OpenApiDocument document, Model model, IEnumerable<KeyValuePair<string, ModelRoute>> routes)
    {
        var path = $"/v2/models/{Uri.EscapeDataString(model.Name)}";
        document.Paths[path + "/infer"] = Post(Operation("infer", $"Run {model.Name}.")
            .Takes(InferRequest(model.Config), ModelExamples.Infer(model))
            .Answers("The outputs.", InferAnswer(model.Config), alsoStreams: true));
        document.Paths[path + "/generate"] = Post(Operation("generate", $"Run {model.Name}, inputs and outputs as a plain object.")
            .Takes(PlainRequest(model.Config), ModelExamples.Generate(model))
            .Answers("The outputs.", GenerateAnswer(model.Config), alsoStreams: true));
        document.Paths[path + "/generate_stream"] = Post(Operation("generateStream", $"Run {model.Name} and get every response as an event.")
            .Takes(PlainRequest(model.Config), ModelExamples.Generate(model))
            .Streams("The responses."));
        foreach (var (own, route) in routes)
        {
            document.Paths[own] = route.IsHealth
                ? Operations.Path(HttpMethod.Get, Operation("health", $"Whether {model.Name} serves.").Answers("It does.", Operations.Object(("status", Operations.Text()))))
                : Post(Operation("route", $"Run {model.Name}.").Takes(PlainRequest(model.Config), ModelExamples.Generate(model))
                    .Answers("The outputs.", RouteAnswer(model.Config, route), alsoStreams: true));
        }

        OpenApiOperation Operation(string id, string summary) => Operations.Operation(document, $"{model.Name}_{id}", model.Name, summary);
    }

    private static OpenApiPathItem Post(OpenApiOperation operation) => Operations.Path(HttpMethod.Post, operation);

    private static OpenApiSchema InferRequest(ModelConfig config)
    {
        var inputs = new OpenApiSchema
        {
            Type = JsonSchemaType.Array,
            MinItems = config.Inputs.Count(input => !input.Optional),
            MaxItems = config.Inputs.Count,
            Items = AnyOf(config.Inputs.Select(input => TensorSchemas.Input(input, config.IsBatching))),
        };
        var outputName = config.HasOpenOutputs ? Operations.Text() : new OpenApiSchema { Type = JsonSchemaType.String, Enum = [.. config.Outputs.Select(output => output.Name)] };
        var outputs = new OpenApiSchema { Type = JsonSchemaType.Array, Items = Operations.Object(("name", outputName), ("parameters", TensorSchemas.Parameters())) };
        var schema = Operations.Object(("id", Operations.Text("Comes back in the answer.")), ("parameters", TensorSchemas.Parameters()), ("inputs", inputs), ("outputs", outputs));
        schema.Required = new HashSet<string> { "inputs" };
        return schema;
    }

    private static OpenApiSchema InferAnswer(ModelConfig config)
    {
        IEnumerable<IOpenApiSchema> tensors = config.Outputs.Select(output => TensorSchemas.Output(output, config.IsBatching));
        var items = AnyOf(config.HasOpenOutputs ? tensors.Append(TensorSchemas.OpenOutput()) : tensors);
        var schema = Head(("outputs", new OpenApiSchema { Type = JsonSchemaType.Array, Items = items }), ("parameters", TensorSchemas.Parameters()));
        schema.Required!.Add("outputs");
        return schema;
    }

    /// <summary>Keys that are no inputs are parameters.</summary>
    private static OpenApiSchema PlainRequest(ModelConfig config) => new()
    {
        Type = JsonSchemaType.Object,
        Required = config.Inputs.Where(input => !input.Optional).Select(input => input.Name).ToHashSet(),
        Properties = config.Inputs.ToDictionary(input => input.Name, input => (IOpenApiSchema)TensorSchemas.Value(input, config.IsBatching)),
    };

    private static OpenApiSchema GenerateAnswer(ModelConfig config) => Head([.. Values(config)]);

    private static OpenApiSchema RouteAnswer(ModelConfig config, ModelRoute route)
    {
        if (route.Output.Length == 0)
        {
            return Operations.Object([.. Values(config)]);
        }

        var output = config.Outputs.FirstOrDefault(known => known.Name == route.Output);
        return output is null ? new OpenApiSchema() : TensorSchemas.Value(output, config.IsBatching);
    }

    private static IEnumerable<(string Name, IOpenApiSchema Schema)> Values(ModelConfig config)
        => config.Outputs.Select(output => (output.Name, (IOpenApiSchema)TensorSchemas.Value(output, config.IsBatching)));

    private static OpenApiSchema Head(params (string Name, IOpenApiSchema Schema)[] more)
    {
        var schema = Operations.Object([("id", Operations.Text()), ("model_name", Operations.Text()), ("model_version", Operations.Text()), .. more.DistinctBy(property => property.Name)]);
        schema.Required = new HashSet<string> { "model_name", "model_version" };
        return schema;
    }

    private static IOpenApiSchema AnyOf(IEnumerable<IOpenApiSchema> schemas)
    {
        var all = schemas.ToList();
        return all.Count == 1 ? all[0] : new OpenApiSchema { AnyOf = all };
    }
}
