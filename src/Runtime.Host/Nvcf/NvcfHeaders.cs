using System.Collections;
using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;

namespace Runtime.Host.Nvcf;

/// <summary>The platform's headers of one request, copied out of it so that they outlive its connection's next request. Over gRPC they are metadata of the same names.</summary>
internal sealed class NvcfHeaders : IReadOnlyDictionary<string, string>
{
    public const string RequestId = "NVCF-REQID";
    public const string AssetDirectory = "NVCF-ASSET-DIR";
    public const string OutputDirectory = "NVCF-LARGE-OUTPUT-DIR";
    public const string MaxResponseSize = "NVCF-MAX-RESPONSE-SIZE-BYTES";
    public const string PollSeconds = "nvcf-poll-seconds";
    public const string AssetIds = "NVCF-FUNCTION-ASSET-IDS";

    /// <summary>Every header that the platform sends to a function, as its documentation spells it.</summary>
    public static readonly IReadOnlyList<string> Names =
    [
        RequestId, "NVCF-SUB", "NVCF-NCAID", "NVCF-FUNCTION-NAME", "NVCF-FUNCTION-ID", "NVCF-FUNCTION-VERSION-ID", AssetDirectory, OutputDirectory,
        MaxResponseSize, "NVCF-NSPECTID", "NVCF-BACKEND", "NVCF-INSTANCETYPE", "NVCF-REGION", "NVCF-ENV", AssetIds, "NVCF-INVOCATION-REGION", PollSeconds,
    ];

    private static readonly FrozenDictionary<string, int> Positions =
        Names.Select((name, position) => (name, position)).ToFrozenDictionary(pair => pair.name, pair => pair.position, StringComparer.OrdinalIgnoreCase);

    private readonly string?[] _values = new string?[Names.Count];

    private NvcfHeaders(IHeaderDictionary headers)
    {
        for (var i = 0; i < _values.Length; i++)
        {
            if (headers.TryGetValue(Names[i], out var value) && value.Count > 0)
            {
                _values[i] = value.ToString();
                Count++;
            }
        }
    }

    public int Count { get; }

    public IEnumerable<string> Keys => this.Select(pair => pair.Key);

    public IEnumerable<string> Values => this.Select(pair => pair.Value);

    public string this[string key] => TryGetValue(key, out var value) ? value : throw new KeyNotFoundException($"the request has no header '{key}' of the platform's");

    /// <summary>The headers, or null for a request that did not come through the platform; that costs one look-up and no memory.</summary>
    public static NvcfHeaders? TryRead(IHeaderDictionary headers)
        => headers.TryGetValue(RequestId, out var id) && id.Count > 0 ? new NvcfHeaders(headers) : null;

    /// <summary>Whether a header of the platform's says whose the request is, rather than where its files are.</summary>
    public static bool IsIdentity(string name) => name is not (AssetDirectory or OutputDirectory or MaxResponseSize or AssetIds or PollSeconds);

    public bool ContainsKey(string key) => TryGetValue(key, out _);

    public bool TryGetValue(string key, [MaybeNullWhen(false)] out string value)
    {
        value = Positions.TryGetValue(key, out var position) ? _values[position] : null;
        return value is not null;
    }

    /// <summary>The header's value; empty where it is missing.</summary>
    public string Get(string name) => TryGetValue(name, out var value) ? value : "";

    public IEnumerator<KeyValuePair<string, string>> GetEnumerator()
    {
        for (var i = 0; i < _values.Length; i++)
        {
            if (_values[i] is { } value)
            {
                yield return new KeyValuePair<string, string>(Names[i], value);
            }
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
