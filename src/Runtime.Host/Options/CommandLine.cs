using Runtime.Host.Lifecycle;
using Runtime.Host.Verbs;

namespace Runtime.Host.Options;

/// <summary>What the arguments ask for: settings, or a text to print.</summary>
internal sealed class CommandLine
{
    private readonly Dictionary<Option, Setting> _settings = [];
    private readonly List<string> _warnings = [];
    private readonly Queue<string> _rest;

    private CommandLine(IEnumerable<string> args) => _rest = new Queue<string>(args);

    public IReadOnlyDictionary<Option, Setting> Settings => _settings;

    /// <summary>One line for each flag that was taken but does nothing.</summary>
    public IReadOnlyList<string> Warnings => _warnings;

    /// <summary>The settings file, if one is named.</summary>
    public string? ConfigFile { get; private set; }

    /// <summary>The text to print instead of serving.</summary>
    public string? Output { get; private set; }

    public static CommandLine Parse(IReadOnlyList<string> args)
    {
        var line = new CommandLine(args.Count > 0 && args[0] == "serve" ? args.Skip(1) : args);
        while (line.Output is null && line._rest.TryDequeue(out var argument))
        {
            line.Take(argument);
        }

        return line;
    }

    private void Take(string argument)
    {
        if (argument is "-h" or "help")
        {
            argument = "--help";
        }

        if (!argument.StartsWith("--", StringComparison.Ordinal))
        {
            throw new StartException($"unexpected argument '{argument}'{Spelling.Suggest(argument, ["serve", "help", .. VerbTable.All.Select(verb => verb.Name)])}");
        }

        var equals = argument.IndexOf('=', StringComparison.Ordinal);
        var name = equals < 0 ? argument[2..] : argument[2..equals];
        var value = equals < 0 ? null : argument[(equals + 1)..];
        switch (name)
        {
            case "help":
                Output = value == "markdown" ? Help.Markdown() : Help.Text();
                break;
            case "version":
                Output = Help.Version();
                break;
            case "config":
                ConfigFile = value ?? NextValue(name);
                break;
            default:
                TakeSetting(name, value);
                break;
        }
    }

    private void TakeSetting(string name, string? value)
    {
        if (OptionTable.Find(name) is not { } option)
        {
            TakeForeign(name, value);
            return;
        }

        value ??= option.IsSwitch ? NextSwitch() : NextValue(name);
        var before = option.IsList && _settings.TryGetValue(option, out var earlier) ? earlier.Values : [];
        _settings[option] = new Setting("--" + name, [.. before, value]);
    }

    private void TakeForeign(string name, string? value)
    {
        if (value is null && _rest.TryPeek(out var next) && !next.StartsWith('-') && (TritonFlags.IsIgnored(name) || TritonFlags.IsRefused(name)))
        {
            value = _rest.Dequeue();
        }

        if (TritonFlags.IsRefused(name))
        {
            if (value is not null && Option.TryParseSwitch(value, out var on) && !on)
            {
                return;
            }

            throw new StartException($"--{name} asks for TLS, which this server does not speak; end TLS in a proxy in front of it and leave the flag out");
        }

        if (!TritonFlags.IsIgnored(name))
        {
            var known = OptionTable.All.Select(option => option.Name).Concat(["config", "help", "version"]);
            throw new StartException($"unknown option '--{name}'{Spelling.Suggest(name, known, "--")}");
        }

        _warnings.Add($"--{name} is a flag of Triton's that does nothing here");
    }

    private string NextSwitch() =>
        _rest.TryPeek(out var next) && Option.TryParseSwitch(next, out _) ? _rest.Dequeue() : "true";

    private string NextValue(string name) =>
        _rest.TryPeek(out var next) && !next.StartsWith("--", StringComparison.Ordinal)
            ? _rest.Dequeue()
            : throw new StartException($"--{name} needs a value");
}
