using Microsoft.Extensions.Logging.Abstractions;
using Runtime.Models;
using Runtime.Models.Configuration;
using HostOptions = Runtime.Host.Options.HostOptions;

namespace Runtime.Host.Nvcf;

/// <summary>
/// Makes NVIDIA Cloud Functions' headers into the context of a request. Only a host that runs as a function heeds them: they
/// name directories, which nobody but the platform may choose.
/// </summary>
internal sealed class NvcfConventions(HostOptions options, TimeProvider? time = null, ILogger? logger = null)
{
    /// <summary>A model's parameter, and in the same spelling a request's header: <c>file</c> or <c>inline</c>.</summary>
    public const string LargeResponse = "large_response";

    public const string LargeResponseHeader = "Large-Response";

    private readonly FunctionPlatform? _platform = options.IsFunction ? new FunctionPlatform(options) : null;

    public TimeProvider Time => time ?? TimeProvider.System;

    /// <summary>The bytes that an asset may have as an input.</summary>
    public long MaxAssetSize => Math.Min(options.NvcfMaxAssetSize, Array.MaxLength - sizeof(int));

    /// <summary>Refuses a model whose parameter for large responses is neither of the two words.</summary>
    /// <exception cref="ModelConfigException">It is not.</exception>
    public static void Check(ModelConfig model)
    {
        if (model.Parameters.TryGetValue(LargeResponse, out var text) && text is not ("file" or "inline"))
        {
            throw new ModelConfigException($"model '{model.Name}': parameter '{LargeResponse}' must be file or inline, got '{text}'");
        }
    }

    /// <summary>The platform's part of the request, which the caller disposes; null for one that came another way.</summary>
    public NvcfRequest? TryBegin(IHeaderDictionary headers)
        => _platform is not null && NvcfHeaders.TryRead(headers) is { } read ? new NvcfRequest(read, _platform, this) : null;

    /// <summary>The same over HTTP, where the request's output directory is closed by the answer's first byte, whatever the answer is.</summary>
    public NvcfRequest? TryBegin(HttpContext context, ModelConfig model)
    {
        if (TryBegin(context.Request.Headers) is not { } request)
        {
            return null;
        }

        var wanted = context.Request.Headers.TryGetValue(LargeResponseHeader, out var header) ? header.ToString() : model.Parameters.GetValueOrDefault(LargeResponse);
        request.SendsLargeResponsesAsFiles = string.Equals(wanted, "file", StringComparison.OrdinalIgnoreCase);
        context.Response.OnStarting(() =>
        {
            request.Close(keepsFiles: context.Response.StatusCode < StatusCodes.Status400BadRequest);
            return Task.CompletedTask;
        });
        return request;
    }

    /// <summary>Tells the log of progress that cannot be written.</summary>
    public void ProgressFailed(string requestId, Exception exception)
        => (logger ?? NullLogger.Instance).LogWarning("The progress of request {RequestId} cannot be written, and is not reported any more: {Reason}", requestId, exception.Message);
}
