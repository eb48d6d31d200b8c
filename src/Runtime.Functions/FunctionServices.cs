using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Runtime.Inference;
using Runtime.Models;

namespace Runtime.Functions;

/// <summary>What a host gives its functions.</summary>
public sealed record FunctionServices
{
    /// <summary>The host's models; null where functions cannot call any.</summary>
    public Func<ModelRepository?> Models { get; init; } = static () => null;

    public ILoggerFactory Loggers { get; init; } = NullLoggerFactory.Instance;

    public IFunctionPlatform Platform { get; init; } = new PlainPlatform();

    public TimeProvider Time { get; init; } = TimeProvider.System;
}

/// <summary>What the platform that a host runs on knows and does for a function. Thread-safe.</summary>
public interface IFunctionPlatform
{
    /// <summary>The present value of a secret; null where there is none.</summary>
    string? FindSecret(string name);

    /// <summary>The headers of a request, by names in any case.</summary>
    IReadOnlyDictionary<string, string> Headers(InferenceRequest request);

    /// <summary>Tells the client of progress: a percentage, and a JSON object or nothing.</summary>
    void Report(InferenceRequest request, double percent, ReadOnlyMemory<byte> partialJson);
}

/// <summary>No platform: secrets are environment variables, headers those that the host forwards as parameters, and nobody follows progress.</summary>
internal sealed class PlainPlatform : IFunctionPlatform
{
    public string? FindSecret(string name) => Environment.GetEnvironmentVariable(name);

    public IReadOnlyDictionary<string, string> Headers(InferenceRequest request)
    {
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var (name, value) in request.Parameters ?? [])
        {
            if (value.Kind == ParameterKind.String)
            {
                headers[name] = value.AsString;
            }
        }

        return headers;
    }

    public void Report(InferenceRequest request, double percent, ReadOnlyMemory<byte> partialJson)
    {
    }
}
