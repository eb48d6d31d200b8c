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

    /// <summary>Where secrets come from; null for the process's environment.</summary>
    public HostPlatform? Platform { get; init; }

    public TimeProvider Time { get; init; } = TimeProvider.System;
}
