using Microsoft.OpenApi;

namespace Runtime.Host.OpenApi;

/// <summary>The paths that every host serves, whatever its models.</summary>
internal static class ProtocolPaths
{
    private const string Server = "server";
    private const string AnyModel = "any model";
    private const string Repository = "repository";

    public static void AddTo(OpenApiDocument document)
    {
        AddServer(document);
        AddModel(document);
        AddRepository(document);
        AddMemory(document, "systemsharedmemory", "SystemMemory");
        AddMemory(document, "cudasharedmemory", "CudaMemory");
    }

    private static void AddServer(OpenApiDocument document)
    {
        Get(document, "/v2", Operation("server", "Name, version and extensions of the server.").Answers("The server's metadata.", Anything()));
        Get(document, "/v2/health/live", Operation("live", "Whether the process serves at all.").Answers("It does."));
        Get(document, "/v2/health/ready", Operation("ready", "Whether every model that should serve does.").Answers("They do."));
        document.Paths["/v2/logging"] = GetAndPost(document, Server, "Logging", "log settings");
        document.Paths["/v2/trace/setting"] = GetAndPost(document, Server, "Trace", "trace settings");

        OpenApiOperation Operation(string id, string summary) => Operations.Operation(document, id, Server, summary);
    }

    private static void AddModel(OpenApiDocument document)
    {
        const string Path = "/v2/models/{model}";
        Get(document, Path, Operation("model", "Inputs, outputs and versions of a model.").Answers("The model's metadata.", Anything()));
        Get(document, Path + "/ready", Operation("modelReady", "Whether a model serves.").Answers("It does."));
        Get(document, Path + "/config", Operation("modelConfig", "A model's whole configuration.").Answers("The configuration.", Anything()));
        Get(document, Path + "/stats", Operation("modelStatistics", "Counts and durations of a model.").Answers("The statistics.", Anything()));
        Post(document, Path + "/infer", Operation("infer", "Run a model once; this document has an entry for each that is loaded.").Takes(Anything()).Answers("The outputs.", Anything(), alsoStreams: true));
        Post(document, Path + "/generate", Operation("generate", "Run a model once, inputs and outputs as a plain object.").Takes(Anything()).Answers("The outputs.", Anything(), alsoStreams: true));
        Post(document, Path + "/generate_stream", Operation("generateStream", "Run a model and get every response as an event.").Takes(Anything()).Streams("The responses."));

        OpenApiOperation Operation(string id, string summary) => Operations.Operation(document, id, AnyModel, summary).With("model");
    }

    private static void AddRepository(OpenApiDocument document)
    {
        Post(document, "/v2/repository/index", Operation("index", "Every model, its versions and states.").Answers("The index.", Anything()));
        Post(document, "/v2/repository/models/{model}/load", Operation("load", "Load a model, or load it again.").With("model").Answers("It serves."));
        Post(document, "/v2/repository/models/{model}/unload", Operation("unload", "Stop serving a model.").With("model").Answers("It serves no more."));
        Get(document, "/v2/models/stats", Operation("statistics", "Counts and durations of every model.").Answers("The statistics.", Anything()));

        OpenApiOperation Operation(string id, string summary) => Operations.Operation(document, id, Repository, summary);
    }

    private static void AddMemory(OpenApiDocument document, string segment, string id)
    {
        Get(document, $"/v2/{segment}/status", Operation("Status", "Registered regions of shared memory.").Answers("The regions.", Anything()));
        Post(document, $"/v2/{segment}/region/{{region}}/register", Operation("Register", "Register a region of shared memory.").With("region").Takes(Anything()).Answers("It is registered."));
        Post(document, $"/v2/{segment}/region/{{region}}/unregister", Operation("Unregister", "Forget a region of shared memory.").With("region").Answers("It is forgotten."));

        OpenApiOperation Operation(string what, string summary) => Operations.Operation(document, char.ToLowerInvariant(id[0]) + id[1..] + what, "shared memory", summary);
    }

    private static OpenApiPathItem GetAndPost(OpenApiDocument document, string tag, string id, string what)
    {
        var path = Operations.Path(HttpMethod.Get, Operations.Operation(document, $"get{id}", tag, $"The {what}.").Answers("The settings.", Anything()));
        path.Operations![HttpMethod.Post] = Operations.Operation(document, $"set{id}", tag, $"Change the {what}.").Takes(Anything()).Answers("The settings.", Anything());
        return path;
    }

    private static void Get(OpenApiDocument document, string path, OpenApiOperation operation) => document.Paths[path] = Operations.Path(HttpMethod.Get, operation);

    private static void Post(OpenApiDocument document, string path, OpenApiOperation operation) => document.Paths[path] = Operations.Path(HttpMethod.Post, operation);

    private static OpenApiSchema Anything() => new() { Type = JsonSchemaType.Object };
}
