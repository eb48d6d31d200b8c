using System.Collections;
using Runtime.Host.Lifecycle;
using Runtime.Host.Nvcf;

namespace Runtime.Host.Options;

/// <summary>Settings that stand, with one line for each thing that was given but has no effect; or a text to print instead of serving.</summary>
internal sealed record BoundOptions(HostOptions Options, IReadOnlyList<string> Warnings, string? Output);

/// <summary>Lays the sources over each other: command line, then environment, then settings file, then defaults.</summary>
internal static class HostOptionsBinder
{
    private const string Prefix = "RUNTIME_";
    private const string ConfigVariable = Prefix + "CONFIG";

    /// <summary>Binds and checks the settings; a <see cref="StartException"/> says in one line what is wrong with them.</summary>
    public static BoundOptions Bind(IReadOnlyList<string> args, IReadOnlyDictionary<string, string> environment, string workingDirectory)
    {
        var commandLine = CommandLine.Parse(args);
        if (commandLine.Output is not null)
        {
            return new BoundOptions(new HostOptions(), [], commandLine.Output);
        }

        var file = commandLine.ConfigFile ?? environment.GetValueOrDefault(ConfigVariable);
        var settings = string.IsNullOrEmpty(file) ? [] : SettingsFile.Read(Path.Combine(workingDirectory, file));
        foreach (var (option, setting) in FromEnvironment(environment))
        {
            settings[option] = setting;
        }

        foreach (var (option, setting) in commandLine.Settings)
        {
            settings[option] = setting;
        }

        var options = new HostOptions();
        foreach (var (option, setting) in settings)
        {
            options = option.Apply(options, setting);
        }

        options = options with { Nvcf = FunctionRules.Decide(options.Nvcf, environment) };
        options = options with { ModelRepository = Repositories(options, workingDirectory) };
        var result = new HostOptionsRules().Validate(options);
        return result.IsValid
            ? new BoundOptions(options, [.. Misspelt(environment), .. commandLine.Warnings], null)
            : throw new StartException(string.Join("; ", result.Errors.Select(error => error.ErrorMessage)));
    }

    /// <summary>The environment of this process.</summary>
    public static Dictionary<string, string> Environment()
    {
        var environment = new Dictionary<string, string>();
        foreach (DictionaryEntry variable in System.Environment.GetEnvironmentVariables())
        {
            environment[(string)variable.Key] = (string?)variable.Value ?? "";
        }

        return environment;
    }

    private static IEnumerable<KeyValuePair<Option, Setting>> FromEnvironment(IReadOnlyDictionary<string, string> environment)
    {
        if (environment.TryGetValue("PORT", out var port) && port.Length > 0)
        {
            yield return new(OptionTable.Find("http-port")!, new Setting("PORT", [port]));
        }

        foreach (var option in OptionTable.All)
        {
            // Container platforms set a variable that was left blank to the empty text.
            if (environment.TryGetValue(option.EnvironmentVariable, out var value) && value.Length > 0)
            {
                var values = option.IsList ? value.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) : [value];
                yield return new(option, new Setting(option.EnvironmentVariable, values));
            }
        }
    }

    private static IEnumerable<string> Misspelt(IReadOnlyDictionary<string, string> environment)
    {
        var known = OptionTable.All.Select(option => option.EnvironmentVariable).Append(ConfigVariable).ToHashSet();
        return from name in environment.Keys
               where name.StartsWith(Prefix, StringComparison.Ordinal) && !known.Contains(name)
               let suggestion = Spelling.Suggest(name, known)
               where suggestion.Length > 0
               select $"unknown environment variable '{name}'{suggestion}";
    }

    private static string[] Repositories(HostOptions options, string workingDirectory)
    {
        var given = options.ModelRepository;
        if (given.Count == 0)
        {
            var usual = Path.Combine(workingDirectory, "models");
            return Directory.Exists(usual) ? [Readable(usual, usual)]
                : options.IsFunction && FunctionMounts.FindModels(options.NvcfConfigRoot, []) is not ([], []) ? []
                : throw new StartException("no model repository: give --model-repository DIR, or start where there is a directory 'models'");
        }

        return [.. given.Select(directory => Readable(directory, Path.GetFullPath(directory, workingDirectory)))];
    }

    private static string Readable(string shown, string directory)
    {
        try
        {
            using var entries = Directory.EnumerateFileSystemEntries(directory).GetEnumerator();
            entries.MoveNext();
            return directory;
        }
        catch (Exception e) when (e is DirectoryNotFoundException || (e is IOException && !Directory.Exists(directory)))
        {
            throw new StartException($"the model repository '{shown}' is not a directory", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartException($"the model repository '{shown}' cannot be read: {e.Message}", e);
        }
    }
}
