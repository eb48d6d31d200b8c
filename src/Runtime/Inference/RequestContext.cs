namespace Runtime.Inference;

/// <summary>
/// What a request says beside its tensors and parameters, and what its model may do for it meanwhile; given by hosts that run as
/// a function of a platform. Valid until the request's response begins; afterwards reports and files are refused or dropped.
/// </summary>
public sealed record RequestContext
{
    /// <summary>The platform's id of the request, which is not <see cref="InferenceRequest.Id"/>.</summary>
    public required string RequestId { get; init; }

    /// <summary>The platform's headers by their documented names (<c>NVCF-REQID</c>), found in any case; those that were not sent are missing.</summary>
    public required IReadOnlyDictionary<string, string> Headers { get; init; }

    /// <summary>What the platform gives the whole process; null for nothing.</summary>
    public HostPlatform? Platform { get; init; }

    /// <summary>Where progress is reported; null where nobody can follow it.</summary>
    public RequestProgress? Progress { get; init; }

    /// <summary>The files that came with the request; null for none.</summary>
    public RequestAssets? Assets { get; init; }

    /// <summary>Where files can be put that leave with the response; null where none can.</summary>
    public RequestOutputs? Outputs { get; init; }

    /// <summary>The bytes that a response may have before the platform sends it as a file.</summary>
    public long MaxResponseByteSize { get; init; } = 5_000_000;
}

/// <summary>Tells the client how far its request is. Thread-safe.</summary>
public abstract class RequestProgress
{
    /// <summary>
    /// Reports a percentage, which is rounded, kept within 0 to 100 and never falls, and a partial response: a JSON object of
    /// less than 250 KB, or nothing to keep the last one. Reports that come close together are told as one, the latest; the bytes are copied.
    /// </summary>
    /// <exception cref="ArgumentException">The percentage is NaN, or the partial response is too large or no JSON object.</exception>
    public abstract void Report(double percent, ReadOnlyMemory<byte> partialJson = default);
}

/// <summary>The files that came with a request.</summary>
public abstract class RequestAssets
{
    public abstract IReadOnlyList<string> Ids { get; }

    /// <summary>Where an asset's file is, with no symbolic link left in the path; or why the id names no asset of this request. The file may be gone after the response.</summary>
    public abstract InferenceError? TryGetPath(string id, out string path);
}

/// <summary>The files that leave with a request's response.</summary>
public abstract class RequestOutputs
{
    /// <summary>Whatever is here when the response begins is sent, but for files named <c>*.partial</c>, which are deleted then.</summary>
    public abstract string Directory { get; }

    /// <summary>Begins a file of that name, one path segment; the caller completes and disposes it.</summary>
    /// <exception cref="InferenceException">The name is no good or taken, the file cannot be made, or the response has begun.</exception>
    public abstract OutputFile Create(string name);
}

/// <summary>A file on its way out: it has its name once it is completed, and is deleted when disposed before.</summary>
public abstract class OutputFile : IDisposable
{
    public abstract Stream Content { get; }

    /// <summary>Ends the writing and gives the file its name.</summary>
    /// <exception cref="InferenceException">It cannot be written, or the response has begun.</exception>
    public abstract void Complete();

    public abstract void Dispose();
}

/// <summary>What a platform gives the process that serves a function. Thread-safe.</summary>
public abstract class HostPlatform
{
    /// <summary>Directories with resources, by name.</summary>
    public abstract IReadOnlyDictionary<string, string> Resources { get; }

    /// <summary>The present value of a secret, its JSON where it is no string; null where there is none. Ask for it at each use: secrets change.</summary>
    public abstract string? FindSecret(string name);
}
