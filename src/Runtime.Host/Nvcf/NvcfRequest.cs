using System.Globalization;
using Runtime.Inference;

namespace Runtime.Host.Nvcf;

/// <summary>One request of the platform's, or one call over gRPC: its context, and what has to be over before its response begins.</summary>
internal sealed class NvcfRequest : IDisposable
{
    private const long DefaultMaxResponseSize = 5_000_000;

    private readonly ProgressFile? _progress;
    private readonly OutputDirectory? _outputs;

    public NvcfRequest(NvcfHeaders headers, HostPlatform platform, NvcfConventions conventions)
    {
        var id = headers.Get(NvcfHeaders.RequestId);
        if (Directory(headers, NvcfHeaders.OutputDirectory) is { } output)
        {
            _progress = new ProgressFile(output, id, conventions.Time, exception => conventions.ProgressFailed(id, exception));
            _outputs = new OutputDirectory(output, id);
        }

        var assets = Directory(headers, NvcfHeaders.AssetDirectory) is { } input ? new AssetDirectory(input, headers.Get(NvcfHeaders.AssetIds)) : null;
        Assets = new AssetInputs(assets, conventions.MaxAssetSize);
        Context = new RequestContext
        {
            RequestId = id,
            Headers = headers,
            Platform = platform,
            Progress = _progress,
            Assets = assets,
            Outputs = _outputs,
            MaxResponseByteSize = long.TryParse(headers.Get(NvcfHeaders.MaxResponseSize), NumberStyles.None, CultureInfo.InvariantCulture, out var size) ? size : DefaultMaxResponseSize,
        };
    }

    /// <summary>What models see of it.</summary>
    public RequestContext Context { get; }

    /// <summary>The inputs that are assets.</summary>
    public AssetInputs Assets { get; }

    /// <summary>Whether a response that is too large for the platform becomes a file, and its answer the file's name.</summary>
    public bool SendsLargeResponsesAsFiles { get; set; }

    /// <summary>Ends progress and outputs: the directory is as the platform may see it. Only the first call counts.</summary>
    /// <param name="keepsFiles">Whether the request succeeded, so that its files go with the response.</param>
    public void Close(bool keepsFiles)
    {
        _progress?.Close();
        _outputs?.Close(keepsFiles);
    }

    /// <summary>Ends what is still open, as for a request that failed.</summary>
    public void Dispose()
    {
        Assets.Dispose();
        Close(keepsFiles: false);
    }

    private static string? Directory(NvcfHeaders headers, string name)
        => headers.TryGetValue(name, out var path) && path.StartsWith('/') && !path.Contains('\0') ? path : null;
}
