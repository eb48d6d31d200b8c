using System.Globalization;
using Runtime.Models.Configuration;

namespace Runtime.Models;

/// <summary>How much of a model's capacity requests may take: the process's defaults, where the configuration does not say otherwise.</summary>
public sealed record ModelLimits
{
    private const string TimeoutParameter = "request_timeout_ms";
    private const string ConcurrencyParameter = "max_concurrent_requests";
    private const string SequencesParameter = "max_sequences";

    public static ModelLimits Default { get; } = new();

    /// <summary>Requests that may wait in a queue whose policy gives no <c>max_queue_size</c>; 0 for any number.</summary>
    public int MaxQueueSize { get; init; } = 4096;

    /// <summary>How long a request may take, in the queue and in execution, a stream until its last response; 0 for any time. The parameter <c>request_timeout_ms</c> wins.</summary>
    public int RequestTimeoutMilliseconds { get; init; }

    /// <summary>Requests that may be queued or running at once; 0 for any number. The parameter <c>max_concurrent_requests</c> sets it.</summary>
    public int MaxConcurrentRequests { get; init; }

    /// <summary>Sequences that a sequence model may have at once; 0 for any number. The parameter <c>max_sequences</c> sets it.</summary>
    public int MaxSequences { get; init; } = 65536;

    /// <summary>These limits, where the model's parameters do not give others.</summary>
    /// <exception cref="ModelConfigException">A parameter is no whole number of 0 or more.</exception>
    internal ModelLimits For(ModelConfig config) => this with
    {
        RequestTimeoutMilliseconds = Read(config, TimeoutParameter, RequestTimeoutMilliseconds),
        MaxConcurrentRequests = Read(config, ConcurrencyParameter, MaxConcurrentRequests),
        MaxSequences = Read(config, SequencesParameter, MaxSequences),
    };

    private static int Read(ModelConfig config, string name, int otherwise)
    {
        if (!config.Parameters.TryGetValue(name, out var text))
        {
            return otherwise;
        }

        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw new ModelConfigException($"model '{config.Name}': parameter '{name}' must be a whole number from 0 to {int.MaxValue}, got '{text}'");
    }
}
