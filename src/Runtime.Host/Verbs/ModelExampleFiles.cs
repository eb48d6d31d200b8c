using System.Text;
using System.Text.Json;
using Runtime.Host.Http;
using Runtime.Host.OpenApi;
using Runtime.Host.Options;
using Runtime.Host.SharedMemory;
using Runtime.Inference;
using Runtime.Models;

namespace Runtime.Host.Verbs;

/// <summary>The example requests of a model: that of its schema, and <c>request.json</c> beside its configuration.</summary>
internal static class ModelExampleFiles
{
    public const string RequestFile = "request.json";

    private static readonly SharedMemoryRegions NoRegions = new(false);

    /// <summary>What each is called, and its body.</summary>
    public static IEnumerable<(string Source, ReadOnlyMemory<byte> Body)> Find(Model model, HostOptions options)
    {
        if (model.Schema is { Schema: var schema } && schema.Inputs.All(input => !input.Required || input.Example is not null)
            && schema.Inputs.Any(input => input.Example is not null) && ModelExamples.Generate(model) is { } example)
        {
            yield return ($"the example of {schema.Source}", Encoding.UTF8.GetBytes(example.ToJsonString()));
        }

        foreach (var path in options.ModelRepository.Select(directory => Path.Combine(directory, model.Name, RequestFile)).Where(File.Exists))
        {
            yield return (RequestFile, File.ReadAllBytes(path));
        }
    }

    /// <summary>Reads an infer request, or a plain object of inputs; a model with sequences gets one of this request alone.</summary>
    /// <exception cref="InferenceException">It is neither.</exception>
    public static InferCall Read(Model model, ReadOnlyMemory<byte> body)
    {
        var call = new InferCall();
        try
        {
            if (IsInfer(body))
            {
                ModelJson.ReadInfer(model, body, new InferContext(model.Config, NoRegions, Array.MaxLength, AllowsHalfPrecision: true), call);
            }
            else
            {
                ModelJson.ReadGenerate(model, body, call);
            }

            if (model.Config.SequenceBatching is not null && call.Request is { SequenceId: 0, SequenceName: "" })
            {
                (call.Request.SequenceId, call.Request.SequenceStart, call.Request.SequenceEnd) = (1, true, true);
            }

            return call;
        }
        catch
        {
            call.Dispose();
            throw;
        }
    }

    private static bool IsInfer(ReadOnlyMemory<byte> body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            return document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty("inputs", out var inputs) && inputs.ValueKind == JsonValueKind.Array;
        }
        catch (JsonException)
        {
            return false; // whoever reads it says what is wrong
        }
    }
}
