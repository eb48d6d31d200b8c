using System.Diagnostics;
using Runtime.Host.Http;
using Runtime.Host.Lifecycle;
using Runtime.Host.Options;
using Runtime.Inference;
using Runtime.Models;

namespace Runtime.Host.Verbs;

/// <summary>
/// Loads every model of a repository as the host would, runs the examples once, and says what is wrong: for a person before a
/// commit, and for a pipeline by its exit code.
/// </summary>
internal static class Validate
{
    private static readonly TimeSpan MostPerExample = TimeSpan.FromSeconds(60);

    public static async Task<int> RunAsync(IReadOnlyList<string> args)
    {
        if (args.Count == 0 || args[0].StartsWith('-') || !Directory.Exists(args[0]))
        {
            throw new StartException(args.Count == 0 ? "usage: runtime-host validate DIR [settings]" : $"validate: there is no directory '{args[0]}'");
        }

        var (options, _, text) = HostOptionsBinder.Bind(["--model-repository", args[0], .. args.Skip(1)], HostOptionsBinder.Environment(), Directory.GetCurrentDirectory());
        if (text is not null)
        {
            Console.WriteLine(text);
            return 0;
        }

        return await CheckAsync(options, Console.Out) ? 0 : 1;
    }

    /// <summary>Whether every model loads and answers its examples; a line for each goes to <paramref name="output"/>.</summary>
    internal static async Task<bool> CheckAsync(HostOptions options, TextWriter output)
    {
        var warnings = new WarningList();
        using var loggers = new LoggerFactory([warnings]);
        var models = HostedModels.Create(options, loggers).Repository;
        await using (models)
        {
            var faults = 0;
            foreach (var failure in (await models.StartAsync(CancellationToken.None)).OrderBy(failure => failure.Name, StringComparer.Ordinal))
            {
                faults++;
                output.WriteLine($"FAULT    {failure.Name}: {failure.Reason}");
            }

            var names = models.Index(readyOnly: true).Select(entry => entry.Name).Distinct().Order(StringComparer.Ordinal).ToArray();
            foreach (var name in names)
            {
                faults += await CheckModelAsync(models, name, options, output);
            }

            foreach (var warning in warnings.Lines)
            {
                output.WriteLine($"warning  {warning}");
            }

            output.WriteLine($"{names.Length} {(names.Length == 1 ? "model serves" : "models serve")}, {faults} {(faults == 1 ? "fault" : "faults")}, {warnings.Lines.Count} {(warnings.Lines.Count == 1 ? "warning" : "warnings")}");
            return faults == 0;
        }
    }

    private static async Task<int> CheckModelAsync(ModelRepository models, string name, HostOptions options, TextWriter output)
    {
        if (models.TryAcquire(name, "", out var lease) is { } error)
        {
            output.WriteLine($"FAULT    {name}: {error.Message}");
            return 1;
        }

        using (lease)
        {
            var faults = 0;
            var examples = ModelExampleFiles.Find(lease.Model, options).ToArray();
            foreach (var (source, body) in examples)
            {
                faults += await RunAsync(lease.Model, source, body, output) ? 0 : 1;
            }

            if (examples.Length == 0)
            {
                output.WriteLine($"ok       {name}: loads; it has no example to run");
            }

            return faults;
        }
    }

    private static async Task<bool> RunAsync(Model model, string source, ReadOnlyMemory<byte> body, TextWriter output)
    {
        var start = Stopwatch.GetTimestamp();
        using var timeout = new CancellationTokenSource(MostPerExample);
        var responses = 0;
        InferenceError? error = null;
        try
        {
            using var call = ModelExampleFiles.Read(model, body);
            await foreach (var response in GenerateEndpoint.Responses(model, call.Request, timeout.Token))
            {
                using (response)
                {
                    error = response.Error;
                    responses++;
                }
            }
        }
        catch (InferenceException exception)
        {
            error = exception.Error;
        }

        output.WriteLine(error is null
            ? $"ok       {model.Name}: {source} is answered with {responses} {(responses == 1 ? "response" : "responses")} in {Stopwatch.GetElapsedTime(start).TotalMilliseconds:F0} ms"
            : $"FAULT    {model.Name}: {source} is not answered: {error.Message}");
        return error is null;
    }
}
