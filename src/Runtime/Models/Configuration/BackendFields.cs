using System.Globalization;

namespace Runtime.Models.Configuration;

/// <summary>The backend, the platform and the model's file name, each of which may follow from the others.</summary>
internal static class BackendFields
{
    public const string OnnxRuntime = "onnxruntime";
    public const string EnsemblePlatform = "ensemble";

    // Backends that are not there are known too, so that a message can name the one that a model asks for.
    private static readonly Kind[] Kinds =
    [
        new("onnxruntime_onnx", OnnxRuntime, "model.onnx"),
        new("pytorch_libtorch", "pytorch", "model.pt"),
        new("tensorflow_savedmodel", "tensorflow", "model.savedmodel"),
        new("tensorflow_graphdef", "tensorflow", "model.graphdef"),
        new("tensorrt_plan", "tensorrt", "model.plan"),
        new("", "openvino", "model.xml"),
        new("", "python", "model.py"),
        new("", "csharp", "model.cs"),
        new("", "csharp", "model.dll"),
    ];

    /// <summary>Fills what follows; looks into the model's first version only when the configuration names nothing.</summary>
    public static void Fill(Protocol.ModelConfig config, string modelDirectory)
    {
        if (config.Platform == EnsemblePlatform)
        {
            if (config.Backend.Length > 0)
            {
                throw new ModelConfigException($"model '{config.Name}': platform 'ensemble' goes without a backend, but 'backend' is '{config.Backend}'");
            }

            return;
        }

        var kind = Find(config, modelDirectory);
        if (kind is not null)
        {
            Apply(kind, config);
        }
        else if (config.Backend.Length == 0)
        {
            throw new ModelConfigException(config.Platform.Length > 0
                ? $"unexpected platform type '{config.Platform}' for {config.Name}{Suggestion.For(config.Platform, Kinds.Select(known => known.Platform))}"
                : $"model '{config.Name}' names no backend: set 'backend' or 'platform' in its configuration, or put a model.onnx into a version's directory");
        }
    }

    private static Kind? Find(Protocol.ModelConfig config, string modelDirectory)
    {
        if (config.Platform.Length > 0)
        {
            var named = Array.Find(Kinds, kind => kind.Platform == config.Platform);
            var isKnownBackend = Array.Exists(Kinds, kind => kind.Backend == config.Backend);
            if (config.Backend.Length > 0 && (isKnownBackend || named is not null) && named?.Backend != config.Backend)
            {
                throw new ModelConfigException(
                    $"model '{config.Name}': unexpected 'platform' and 'backend' pair, got: {config.Platform}, {config.Backend}; leave 'platform' away");
            }

            return named;
        }

        if (config.Backend.Length > 0)
        {
            return Array.Find(Kinds, kind => kind.Backend == config.Backend);
        }

        return config.DefaultModelFilename.Length > 0
            ? Array.Find(Kinds, kind => kind.File == config.DefaultModelFilename)
            : FindByFile(modelDirectory);
    }

    private static Kind? FindByFile(string modelDirectory)
    {
        if (!Directory.Exists(modelDirectory))
        {
            return null;
        }

        var first = Directory.EnumerateDirectories(modelDirectory)
            .Where(path => Version(path) is not null)
            .MinBy(Version);
        return first is null ? null : Array.Find(Kinds, kind => Path.Exists(Path.Combine(first, kind.File)));
    }

    private static long? Version(string path) =>
        long.TryParse(Path.GetFileName(path), NumberStyles.None, CultureInfo.InvariantCulture, out var version) ? version : null;

    private static void Apply(Kind kind, Protocol.ModelConfig config)
    {
        config.Platform = config.Platform.Length > 0 ? config.Platform : kind.Platform;
        config.Backend = config.Backend.Length > 0 ? config.Backend : kind.Backend;
        config.DefaultModelFilename = config.DefaultModelFilename.Length > 0 ? config.DefaultModelFilename : kind.File;
    }

    private sealed record Kind(string Platform, string Backend, string File);
}
