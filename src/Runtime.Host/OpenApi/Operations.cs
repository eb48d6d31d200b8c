using System.Text.Json.Nodes;
using Microsoft.OpenApi;

namespace Runtime.Host.OpenApi;

/// <summary>The parts that operations of the document are made of.</summary>
internal static class Operations
{
    public const string ErrorSchema = "Error";
    private const string Json = "application/json";
    private const string Events = "text/event-stream";

    /// <summary>What every failed request is answered with.</summary>
    public static OpenApiSchema Error() => new()
    {
        Type = JsonSchemaType.Object,
        Required = new HashSet<string> { "error" },
        Properties = new Dictionary<string, IOpenApiSchema>
        {
            ["error"] = new OpenApiSchema { Type = JsonSchemaType.String, Description = "One sentence with all that is wrong." },
            ["details"] = new OpenApiSchema
            {
                Type = JsonSchemaType.Array,
                Description = "Every fault of a request to a model with an input schema.",
                Items = Object(("input", Text()), ("code", Text()), ("message", Text())),
            },
        },
    };

    public static OpenApiSchema Text(string? description = null) => new() { Type = JsonSchemaType.String, Description = description };

    public static OpenApiSchema Object(params (string Name, IOpenApiSchema Schema)[] properties) => new()
    {
        Type = JsonSchemaType.Object,
        Properties = properties.ToDictionary(property => property.Name, property => property.Schema),
    };

    /// <summary>A path with one operation.</summary>
    public static OpenApiPathItem Path(HttpMethod method, OpenApiOperation operation) => new() { Operations = new() { [method] = operation } };

    public static OpenApiOperation Operation(OpenApiDocument document, string id, string tag, string summary) => new()
    {
        OperationId = id,
        Summary = summary,
        Tags = new HashSet<OpenApiTagReference> { new(tag, document) },
        Responses = new OpenApiResponses { ["default"] = Answer("The request failed.", new OpenApiSchemaReference(ErrorSchema, document)) },
    };

    public static OpenApiOperation Takes(this OpenApiOperation operation, IOpenApiSchema schema, JsonNode? example = null)
    {
        operation.RequestBody = new OpenApiRequestBody { Required = true, Content = new Dictionary<string, OpenApiMediaType> { [Json] = new() { Schema = schema, Example = example } } };
        return operation;
    }

    public static OpenApiOperation Answers(this OpenApiOperation operation, string description, IOpenApiSchema? schema = null, bool alsoStreams = false)
    {
        var answer = schema is null ? new OpenApiResponse { Description = description } : Answer(description, schema);
        if (alsoStreams)
        {
            answer.Content![Events] = Event();
        }

        operation.Responses!["200"] = answer;
        return operation;
    }

    /// <summary>An answer of server-sent events and nothing else.</summary>
    public static OpenApiOperation Streams(this OpenApiOperation operation, string description)
    {
        operation.Responses!["200"] = new OpenApiResponse { Description = description, Content = new Dictionary<string, OpenApiMediaType> { [Events] = Event() } };
        return operation;
    }

    public static OpenApiOperation With(this OpenApiOperation operation, params string[] pathParameters)
    {
        operation.Parameters = [.. pathParameters.Select(name => new OpenApiParameter { Name = name, In = ParameterLocation.Path, Required = true, Schema = Text() })];
        return operation;
    }

    private static OpenApiMediaType Event() => new() { Schema = Text("One JSON object a data: line.") };

    private static OpenApiResponse Answer(string description, IOpenApiSchema schema)
        => new() { Description = description, Content = new Dictionary<string, OpenApiMediaType> { [Json] = new() { Schema = schema } } };
}
