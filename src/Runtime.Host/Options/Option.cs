using System.Globalization;
using System.Numerics;
using Runtime.Host.Lifecycle;

namespace Runtime.Host.Options;

/// <summary>One setting: its flag's name, what the help says, and how its texts become a property of <see cref="HostOptions"/>.</summary>
internal sealed class Option
{
    private readonly Func<HostOptions, Setting, HostOptions> _apply;

    private Option(string name, string help, string value, Func<HostOptions, string> shown, Func<HostOptions, Setting, HostOptions> apply)
    {
        Name = name;
        Help = help;
        Value = value;
        Default = shown(new HostOptions());
        _apply = apply;
    }

    /// <summary>The flag without its dashes.</summary>
    public string Name { get; }

    public string Help { get; }

    /// <summary>What stands for the value in the help.</summary>
    public string Value { get; }

    /// <summary>The default as the help shows it; empty for none.</summary>
    public string Default { get; }

    public string EnvironmentVariable => "RUNTIME_" + Name.Replace('-', '_').ToUpperInvariant();

    /// <summary>Whether the flag alone means true.</summary>
    public bool IsSwitch { get; private init; }

    /// <summary>Whether giving it again adds to what was given before.</summary>
    public bool IsList { get; private init; }

    public HostOptions Apply(HostOptions options, Setting setting) => _apply(options, setting);

    public static Option Switch(string name, string help, Func<HostOptions, bool> get, Func<HostOptions, bool, HostOptions> set) =>
        new(name, help, "true|false", o => get(o) ? "true" : "false", (o, s) => set(o, ParseSwitch(s))) { IsSwitch = true };

    public static Option Number<T>(string name, string help, Func<HostOptions, T> get, Func<HostOptions, T, HostOptions> set)
        where T : INumber<T> =>
        new(name, help, "N", o => get(o).ToString(null, CultureInfo.InvariantCulture), (o, s) => set(o, ParseNumber<T>(s)));

    public static Option Text(string name, string help, Func<HostOptions, string> get, Func<HostOptions, string, HostOptions> set) =>
        new(name, help, "TEXT", get, (o, s) => set(o, s.Last));

    public static Option List(string name, string help, string value, Func<HostOptions, IReadOnlyList<string>, HostOptions> set) =>
        new(name, help, value, _ => "", (o, s) => set(o, s.Values)) { IsList = true };

    /// <summary>Reads true, false, 1 or 0.</summary>
    public static bool TryParseSwitch(string text, out bool value)
    {
        value = text == "1" || text.Equals("true", StringComparison.OrdinalIgnoreCase);
        return value || text == "0" || text.Equals("false", StringComparison.OrdinalIgnoreCase);
    }

    private static bool ParseSwitch(Setting setting) =>
        TryParseSwitch(setting.Last, out var value) ? value : throw new StartException($"{setting.Origin}: expected true or false, got '{setting.Last}'");

    private static T ParseNumber<T>(Setting setting)
        where T : INumber<T> =>
        T.TryParse(setting.Last, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value)
            ? value
            : throw new StartException($"{setting.Origin}: expected a whole number, got '{setting.Last}'");
}

/// <summary>What one source says about a setting; <see cref="Origin"/> names the place for error messages.</summary>
internal sealed record Setting(string Origin, IReadOnlyList<string> Values)
{
    public string Last => Values.Count == 0 ? "" : Values[^1];
}
