using System.Text.RegularExpressions;
using Runtime.Inference;

namespace Runtime.Host.Http;

/// <summary>
/// Makes string parameters of the headers whose names a pattern finds. As in Triton the pattern need match only a part of
/// the name, and case does not matter unless it says <c>(?-i)</c>.
/// </summary>
internal sealed class HeaderForwarding(string pattern)
{
    private readonly Regex? _pattern = pattern.Length == 0
        ? null
        : new Regex(pattern, RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.NonBacktracking);

    /// <summary>Adds the parameters under the headers' names as they were sent. A parameter of the body keeps its value; reserved names stay untouched.</summary>
    public void Apply(IHeaderDictionary headers, InferenceRequest request)
    {
        if (_pattern is null)
        {
            return;
        }

        foreach (var header in headers)
        {
            if (_pattern.IsMatch(header.Key) && !ParametersJson.IsReserved(header.Key))
            {
                (request.Parameters ??= []).TryAdd(header.Key, header.Value.ToString());
            }
        }
    }
}
