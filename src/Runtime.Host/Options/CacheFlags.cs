using System.Globalization;

namespace Runtime.Host.Options;

/// <summary>Reads how large the response cache is from Triton's two ways to say it.</summary>
internal static class CacheFlags
{
    private const string Expected = "--cache-config: expected local,size=N with N in bytes";

    /// <summary>The bytes, 0 for no cache; or what is wrong with the settings.</summary>
    public static string? TryRead(HostOptions options, out long byteSize)
    {
        byteSize = options.ResponseCacheByteSize;
        if (byteSize < 0)
        {
            return $"--response-cache-byte-size: expected 0 or more, got {byteSize}";
        }

        if (options.CacheConfig.Count > 0 && byteSize > 0)
        {
            return "--cache-config and --response-cache-byte-size say the same; give one of them";
        }

        foreach (var entry in options.CacheConfig)
        {
            if (TryReadEntry(entry, out byteSize) is { } error)
            {
                return error;
            }
        }

        return null;
    }

    private static string? TryReadEntry(string entry, out long byteSize)
    {
        byteSize = 0;
        if (entry.Split(',') is not [var name, var setting] || setting.Split('=') is not [var key, var value])
        {
            return $"{Expected}, got '{entry}'";
        }

        if (name != "local")
        {
            return $"{Expected}; there is no cache '{name}', only local";
        }

        if (key != "size")
        {
            return $"{Expected}; the cache 'local' has no setting '{key}'";
        }

        return long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out byteSize) && byteSize > 0
            ? null
            : $"{Expected}; '{value}' is not a size of 1 or more";
    }
}
