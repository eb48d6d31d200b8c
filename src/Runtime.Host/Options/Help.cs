using System.Reflection;
using System.Text;
using Runtime.Host.Verbs;

namespace Runtime.Host.Options;

/// <summary>The texts of --help and --version, and the README's table, from the one table of settings.</summary>
internal static class Help
{
    private const int Column = 42;

    public static string Text()
    {
        var text = new StringBuilder("""
            Usage: runtime-host [serve] [--model-repository DIR] [options]
                   runtime-host VERB ...

            Serves the models of a repository over Triton's HTTP and gRPC protocols.
            Write --flag=value or --flag value; a switch alone means true. Each setting is also an environment variable
            (--http-port is RUNTIME_HTTP_PORT, lists are separated by ';') and a key of the JSON file that --config names.

            """);
        text.Append("\nVerbs:\n");
        foreach (var verb in VerbTable.All)
        {
            Line(text, $"{verb.Name} {verb.Usage}", verb.Help, "");
        }

        foreach (var group in OptionTable.Groups)
        {
            text.Append('\n').Append(group.Title).Append(":\n");
            foreach (var option in group.Options)
            {
                Line(text, $"--{option.Name} {option.Value}", option.Help, option.Default);
            }
        }

        text.Append("\nOther:\n");
        Line(text, "--config FILE", "JSON file of settings; RUNTIME_CONFIG names one too.", "");
        Line(text, "--help", "Print this; --help=markdown prints the settings as a table.", "");
        Line(text, "--version", "Print the version.", "");
        return text.ToString().TrimEnd('\n');
    }

    public static string Markdown()
    {
        var text = new StringBuilder("| setting | default | what it does |\n|---|---|---|\n");
        foreach (var option in OptionTable.Groups.SelectMany(group => group.Options))
        {
            var shown = option.Default.Length > 0 ? $"`{option.Default}`" : "";
            text.Append($"| `--{option.Name}` | {shown} | {option.Help.Replace("|", "\\|", StringComparison.Ordinal)} |\n");
        }

        return text.ToString().TrimEnd('\n');
    }

    public static string Version() =>
        "runtime-host " + (typeof(Help).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0");

    private static void Line(StringBuilder text, string flag, string help, string shown)
    {
        text.Append("  ").Append(flag.PadRight(Column)).Append(' ').Append(help);
        text.Append(shown.Length > 0 ? $" (default {shown})\n" : "\n");
    }
}
