using System.Globalization;

namespace Runtime.Host.Options;

/// <summary>Which of the metrics are served that Triton lets one choose.</summary>
/// <param name="Counters">The cumulative durations.</param>
/// <param name="Summaries">Quantiles of durations.</param>
/// <param name="Histograms">The first response of decoupled models.</param>
/// <param name="Quantiles">What the summaries say, between 0 and 1.</param>
internal sealed record MetricsFlags(bool Counters, bool Summaries, bool Histograms, IReadOnlyList<double> Quantiles)
{
    public static MetricsFlags Default { get; } = new(true, false, false, [0.5, 0.9, 0.95, 0.99, 0.999]);

    /// <summary>What options say that have passed their rules.</summary>
    public static MetricsFlags Read(HostOptions options)
    {
        TryRead(options.MetricsConfig, out var flags);
        return flags;
    }

    /// <summary>What the entries <c>key=value</c> say; or what is wrong with them.</summary>
    public static string? TryRead(IReadOnlyList<string> entries, out MetricsFlags flags)
    {
        flags = Default;
        foreach (var entry in entries)
        {
            if (entry.Split('=', 2) is not [var key, var value])
            {
                return $"--metrics-config: expected KEY=VALUE, got '{entry}'";
            }

            var error = key == "summary_quantiles" ? TryReadQuantiles(value, ref flags) : TryReadSwitch(key, value, ref flags);
            if (error is not null)
            {
                return $"--metrics-config: {error}";
            }
        }

        return null;
    }

    private static string? TryReadSwitch(string key, string value, ref MetricsFlags flags)
    {
        string[] known = ["counter_latencies", "summary_latencies", "histogram_latencies"];
        if (!known.Contains(key))
        {
            return $"unknown setting '{key}'; there are {string.Join(", ", known)}, summary_quantiles";
        }

        if (!Option.TryParseSwitch(value, out var isOn))
        {
            return $"'{key}' must be true or false, got '{value}'";
        }

        flags = key == known[0] ? flags with { Counters = isOn } : key == known[1] ? flags with { Summaries = isOn } : flags with { Histograms = isOn };
        return null;
    }

    /// <summary>Triton wants an error beside each quantile, as in 0.99:0.001; what is kept here has its own, better than 2 %.</summary>
    private static string? TryReadQuantiles(string value, ref MetricsFlags flags)
    {
        var quantiles = new List<double>();
        foreach (var pair in value.Split(','))
        {
            var parts = pair.Split(':');
            if (parts.Length > 2 || !parts.All(part => TryReadFraction(part, out _)))
            {
                return $"'summary_quantiles' must be QUANTILE:ERROR,... with numbers from 0 to 1, got '{value}'";
            }

            TryReadFraction(parts[0], out var quantile);
            quantiles.Add(quantile);
        }

        flags = flags with { Quantiles = quantiles };
        return null;
    }

    private static bool TryReadFraction(string text, out double value)
        => double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out value) && value is >= 0 and <= 1;
}
