using Runtime.Models.Configuration;

namespace Runtime.Schemas;

/// <summary>Finds and reads a model's input schema.</summary>
public static class InputSchemaFile
{
    /// <summary>How large a schema's file may be.</summary>
    public const int MostBytes = 1 << 20;

    private const string FileName = "input_schema";

    /// <summary>
    /// Reads <c>input_schema.py</c> or <c>.json</c> of the model's directory, or <c>&lt;model&gt;.py</c> or <c>.json</c> of a
    /// directory of schemas; null where there is none.
    /// </summary>
    /// <exception cref="ModelConfigException">There are several, or the one that there is cannot be read or is wrong.</exception>
    public static InputSchema? Find(string modelDirectory, string? schemasDirectory, string modelName)
    {
        var paths = Candidates(modelDirectory, schemasDirectory, modelName).Where(File.Exists).ToArray();
        return paths.Length switch
        {
            0 => null,
            1 => Read(paths[0]),
            _ => throw new ModelConfigException($"model '{modelName}' has more than one input schema: {string.Join(" and ", paths)}; keep one"),
        };
    }

    /// <summary>Reads a file, as Python or JSON by its name.</summary>
    /// <exception cref="ModelConfigException">It cannot be read, or is no schema.</exception>
    public static InputSchema Read(string path)
    {
        var name = Path.GetFileName(path);
        var bytes = ReadBytes(path, name);
        return path.EndsWith(".json", StringComparison.OrdinalIgnoreCase) ? JsonSchemaReader.Read(bytes, name) : PythonSchemaReader.Read(bytes, name);
    }

    private static IEnumerable<string> Candidates(string modelDirectory, string? schemasDirectory, string modelName)
    {
        yield return Path.Combine(modelDirectory, FileName + ".py");
        yield return Path.Combine(modelDirectory, FileName + ".json");

        // A name that leads elsewhere names no file in the directory of schemas.
        if (schemasDirectory is not null && Path.GetFileName(modelName) == modelName)
        {
            yield return Path.Combine(schemasDirectory, modelName + ".py");
            yield return Path.Combine(schemasDirectory, modelName + ".json");
        }
    }

    private static byte[] ReadBytes(string path, string name)
    {
        try
        {
            using var stream = File.OpenRead(path);
            return stream.Length > MostBytes
                ? throw new ModelConfigException($"{name}: a schema has at most {MostBytes} bytes, this file has {stream.Length}")
                : File.ReadAllBytes(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new ModelConfigException($"{name}: cannot be read: {exception.Message}");
        }
    }
}
