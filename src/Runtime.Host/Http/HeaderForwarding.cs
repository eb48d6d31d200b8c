using System.Text.RegularExpressions;
using Runtime.Inference;

namespace Runtime.Host.Http;

/// <summary>
/// Makes string parameters of the headers, or of gRPC's metadata, whose names a pattern finds. As in Triton the pattern need match
/// only a part of the name, and case does not matter unless it says <c>(?-i)</c>. What the protocol keeps for itself is never taken.
/// </summary>
internal sealed class HeaderForwarding(string pattern)
{
    private const string ReservedPrefix = "triton_";

    /// <summary>The classes that Triton's expressions name and .NET's do not.</summary>
    private static readonly (string Name, string Characters)[] Classes =
    [
        ("[:alnum:]", "a-zA-Z0-9"), ("[:alpha:]", "a-zA-Z"), ("[:digit:]", "0-9"), ("[:lower:]", "a-z"), ("[:upper:]", "A-Z"),
        ("[:word:]", "a-zA-Z0-9_"), ("[:xdigit:]", "0-9a-fA-F"), ("[:space:]", @"\s"), ("[:blank:]", @" \t"), ("[:punct:]", @"!-/:-@\[-`{-~"),
    ];

    private readonly Regex? _pattern = pattern.Length == 0 ? null : Compile(pattern);

    /// <summary>The expression in linear time, as RE2's are.</summary>
    /// <exception cref="ArgumentException">It is no regular expression.</exception>
    /// <exception cref="NotSupportedException">It looks around or back, which RE2 cannot either.</exception>
    public static Regex Compile(string pattern)
    {
        var translated = Classes.Aggregate(pattern.Replace("(?P<", "(?<", StringComparison.Ordinal), (text, known) => text.Replace(known.Name, known.Characters, StringComparison.Ordinal));
        return new Regex(translated, RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.NonBacktracking);
    }

    /// <summary>Adds the parameters under the headers' names as they were sent. A parameter of the body keeps its value.</summary>
    public void Apply(IHeaderDictionary headers, InferenceRequest request)
    {
        if (_pattern is not null)
        {
            Apply(headers, request, static name => name);
        }
    }

    /// <summary>Adds the parameters under the names that gRPC's metadata have, which are lower case where HTTP's (Content-Type) are not.</summary>
    public void ApplyMetadata(IHeaderDictionary headers, InferenceRequest request)
    {
        if (_pattern is not null)
        {
            Apply(headers, request, static name => name.ToLowerInvariant());
        }
    }

    private void Apply(IHeaderDictionary headers, InferenceRequest request, Func<string, string> spell)
    {
        foreach (var (sent, values) in headers)
        {
            var name = spell(sent);
            if (!IsReserved(name) && _pattern!.IsMatch(name))
            {
                (request.Parameters ??= []).TryAdd(name, values.ToString());
            }
        }
    }

    private static bool IsReserved(string name) => name.StartsWith(ReservedPrefix, StringComparison.OrdinalIgnoreCase)
        || name.ToLowerInvariant() is "sequence_id" or "sequence_start" or "sequence_end" or "priority" or "timeout" or "headers" or "binary_data_output"
        || name.StartsWith(':');
}
