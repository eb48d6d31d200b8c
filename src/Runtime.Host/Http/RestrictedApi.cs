using System.Diagnostics.CodeAnalysis;
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
        => TryParse(entries, headerPrefix, out var restricted, out var error) ? restricted : throw new FormatException(error);

    /// <inheritdoc cref="Parse"/>
    public static bool TryParse(IReadOnlyList<string> entries, string headerPrefix, [NotNullWhen(true)] out RestrictedApi? restricted, [NotNullWhen(false)] out string? error)
    {
        var parsed = new RestrictedApi();
        error = entries.Select(entry => parsed.Add(entry, headerPrefix)).FirstOrDefault(fault => fault is not null);
        restricted = error is null ? parsed : null;
        return error is null;
    }

    /// <summary>Whether the group wants a header at all.</summary>
    public bool IsRestricted(ApiGroup group) => _rules[(int)group] is not null;

    /// <summary>Whether the request may use the group; <paramref name="header"/> gives the value of a header of that name (lower case over gRPC) or null.</summary>
    public bool IsAllowed(ApiGroup group, Func<string, string?> header, out string expectedHeader)
    {
        var rule = _rules[(int)group];
        expectedHeader = rule?.Header ?? "";
        return rule is null || (header(rule.Header) is { } value && CryptographicOperations.FixedTimeEquals(Digest(value), rule.Digest));
    }

    private string? Add(string entry, string headerPrefix)
    {
        var colon = entry.IndexOf(':');
        var equals = colon < 0 ? -1 : entry.IndexOf('=', colon);
        var key = equals < 0 ? "" : entry[(colon + 1)..equals].Trim();
        if (key.Length == 0 || entry.AsSpan(equals + 1).Trim().IsEmpty)
        {
            return $"expected <api>,<api>,…:<key>=<value> to restrict, got '{(equals < 0 ? entry : entry[..equals] + "=…")}'";
        }

        // Digests have one length, so that comparing them does not tell how long the value is.
        var rule = new Rule((headerPrefix + key).ToLowerInvariant(), Digest(entry[(equals + 1)..].Trim()));
        foreach (var name in entry[..colon].Split(',', StringSplitOptions.TrimEntries))
        {
            var group = Array.IndexOf(Names, name);
            if (group < 0)
            {
                return $"unknown restricted api '{name}', expected one of {string.Join(", ", Names)}";
            }

            if (_rules[group] is not null)
            {
                return $"restricted api '{name}' can not be specified in multiple config groups";
            }

            _rules[group] = rule;
        }

        return null;
    }

    private static byte[] Digest(string value) => SHA256.HashData(Encoding.UTF8.GetBytes(value));

    private sealed record Rule(string Header, byte[] Digest);
}
