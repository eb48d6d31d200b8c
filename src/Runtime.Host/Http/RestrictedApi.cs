using System.Security.Cryptography;
using System.Text;

namespace Runtime.Host.Http;

/// <summary>Which parts of a protocol want a secret header: <c>--http-restricted-api</c> and <c>--grpc-restricted-protocol</c>. Immutable.</summary>
public sealed class RestrictedApi
{
    /// <summary>What gRPC puts before the keys of its entries.</summary>
    public const string GrpcHeaderPrefix = "triton-grpc-protocol-";

    private static readonly string[] Names = ["health", "metadata", "inference", "shared-memory", "model-config", "model-repository", "statistics", "trace", "logging"];

    private readonly Rule?[] _rules = new Rule?[Names.Length];

    private RestrictedApi()
    {
    }

    /// <summary>Reads entries such as <c>health,metadata:key=value</c>; each group may be in one of them. Header names are <paramref name="headerPrefix"/> and the key.</summary>
    /// <exception cref="FormatException">An entry can't be read; the message says which and why.</exception>
    public static RestrictedApi Parse(IReadOnlyList<string> entries, string headerPrefix = "")
    {
        var restricted = new RestrictedApi();
        var faults = restricted.Add(entries, headerPrefix);
        return faults.Count == 0 ? restricted : throw new FormatException(faults[0]);
    }

    /// <summary>Everything that is wrong with the entries; empty when they can be read.</summary>
    public static IReadOnlyList<string> Faults(IReadOnlyList<string> entries) => new RestrictedApi().Add(entries, "");

    /// <summary>Whether the group wants a header at all.</summary>
    public bool IsRestricted(ApiGroup group) => _rules[(int)group] is not null;

    /// <summary>Whether the request may use the group; <paramref name="header"/> gives the value of a header of that name (lower case over gRPC) or null.</summary>
    public bool IsAllowed(ApiGroup group, Func<string, string?> header, out string expectedHeader)
    {
        var rule = _rules[(int)group];
        expectedHeader = rule?.Header ?? "";
        return rule is null || (header(rule.Header) is { } value && rule.Matches(value));
    }

    private List<string> Add(IReadOnlyList<string> entries, string headerPrefix)
    {
        var faults = new List<string>();
        foreach (var entry in entries)
        {
            Add(entry, headerPrefix, faults);
        }

        return faults;
    }

    private void Add(string entry, string headerPrefix, List<string> faults)
    {
        var colon = entry.IndexOf(':');
        var equals = colon < 0 ? -1 : entry.IndexOf('=', colon);
        var key = equals < 0 ? "" : entry[(colon + 1)..equals].Trim();
        if (key.Length == 0 || entry.AsSpan(equals + 1).Trim().IsEmpty)
        {
            faults.Add($"expected API[,API…]:KEY=VALUE, got '{(equals < 0 ? entry : entry[..equals] + "=…")}'");
            return;
        }

        // Digests have one length, so that comparing them does not tell how long the value is.
        var rule = new Rule((headerPrefix + key).ToLowerInvariant(), Digest(entry[(equals + 1)..].Trim()));
        foreach (var name in entry[..colon].Split(',', StringSplitOptions.TrimEntries))
        {
            var group = Array.IndexOf(Names, name);
            if (group < 0)
            {
                faults.Add($"unknown API '{name}'; there are {string.Join(", ", Names)}");
            }
            else if (_rules[group] is not null)
            {
                faults.Add($"'{name}' is restricted twice");
            }
            else
            {
                _rules[group] = rule;
            }
        }
    }

    private static byte[] Digest(string value) => SHA256.HashData(Encoding.UTF8.GetBytes(value));

    private sealed record Rule(string Header, byte[] Expected)
    {
        public bool Matches(string value) => CryptographicOperations.FixedTimeEquals(Digest(value), Expected);
    }
}
