using Runtime.Host.Lifecycle;

namespace Runtime.Host.Verbs;

/// <summary>Writes the directory of a new function: code, input schema and a request to try it with.</summary>
internal static class NewFunction
{
    private const string DirectoryFlag = "--directory";
    private const string Usage = "usage: runtime-host new function NAME [--directory DIR]";

    public static Task<int> RunAsync(IReadOnlyList<string> args)
    {
        if (args.Count < 2 || args[0] != "function")
        {
            throw new StartException(Usage);
        }

        var directory = Write(args[1], DirectoryOf(args));
        Console.WriteLine($"""
            Wrote {directory}. Serve it and ask it:
              runtime-host --model-repository {Path.GetDirectoryName(directory)}
              curl -s http://127.0.0.1:8000/v2/models/{args[1]}/generate -H 'Content-Type: application/json' --data-binary @{Path.Combine(directory, "request.json")}
            """);
        return Task.FromResult(0);
    }

    /// <summary>Writes the files of a model of that name below the directory, and returns where they are.</summary>
    /// <exception cref="StartException">The name is no good or taken, or the files cannot be written.</exception>
    internal static string Write(string name, string parent)
    {
        if (name.Length == 0 || !char.IsAsciiLetter(name[0]) || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.'))
        {
            throw new StartException($"'{name}' is no name for a model: it must begin with a letter and go on with letters, digits, '_', '-' or '.'");
        }

        var directory = Path.Combine(parent, name);
        if (Directory.Exists(directory))
        {
            throw new StartException($"'{directory}' is there already");
        }

        try
        {
            Directory.CreateDirectory(Path.Combine(directory, "1"));
            foreach (var (file, text) in Files(name))
            {
                File.WriteAllText(Path.Combine(directory, file), text + "\n");
            }

            return directory;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartException($"'{directory}' cannot be written: {e.Message}", e);
        }
    }

    private static string DirectoryOf(IReadOnlyList<string> args) => args.Skip(2).ToArray() switch
    {
        [] => "models",
        [DirectoryFlag, var directory] => directory,
        [var flag] when flag.StartsWith(DirectoryFlag + "=", StringComparison.Ordinal) => flag[(DirectoryFlag.Length + 1)..],
        _ => throw new StartException(Usage),
    };

    private static (string File, string Text)[] Files(string name) =>
    [
        ("1/model.cs", $$"""
            /// <summary>Repeats a prompt. Its inputs are those of input_schema.json, its outputs whatever it gives.</summary>
            public sealed class {{ClassName(name)}} : Function
            {
                public override ValueTask<Outputs> InferAsync(Inputs inputs, FunctionRequest request)
                {
                    var prompt = inputs.Get<string>("prompt");
                    var count = inputs.Get("count", 1); // 1 where the request leaves it out
                    return new Outputs { ["text"] = string.Join(' ', Enumerable.Repeat(prompt, count)), ["length"] = prompt.Length * count };
                }

                public override async IAsyncEnumerable<Outputs> StreamAsync(Inputs inputs, FunctionRequest request)
                {
                    for (var i = 0; i < inputs.Get("count", 1); i++)
                    {
                        await Task.Delay(100, request.Cancellation);
                        yield return new() { ["text"] = inputs.Get<string>("prompt") };
                    }
                }
            }
            """),
        ("input_schema.json", """
            {
              "INPUT_SCHEMA": {
                "prompt": { "datatype": "STRING", "required": true, "shape": [1], "example": ["There is a fine house in the forest"] },
                "count": { "datatype": "INT32", "required": false, "shape": [1], "example": [2] }
              }
            }
            """),
        ("request.json", """{ "prompt": "There is a fine house in the forest", "count": 2 }"""),
    ];

    private static string ClassName(string name)
        => string.Concat(name.Split('_', '-', '.').Where(part => part.Length > 0).Select(part => char.ToUpperInvariant(part[0]) + part[1..])) + "Function";
}
