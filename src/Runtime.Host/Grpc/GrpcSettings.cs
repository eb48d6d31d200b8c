using System.IO.Compression;
using Runtime.Host.Http;
using Runtime.Host.Nvcf;
using Runtime.Host.Telemetry;

namespace Runtime.Host.Grpc;

/// <summary>Names of gRPC's headers and trailers.</summary>
internal static class GrpcHeaders
{
    public const string Timeout = "grpc-timeout";
    public const string Encoding = "grpc-encoding";
    public const string AcceptEncoding = "grpc-accept-encoding";
    public const string Status = "grpc-status";
    public const string Message = "grpc-message";
    public const string ContentType = "application/grpc";
}

/// <summary>What the options say about gRPC, made ready for use.</summary>
internal sealed record GrpcSettings
{
    public GrpcSettings(Options.HostOptions options, NvcfConventions? nvcf = null)
    {
        MaxMessageSize = options.GrpcMaxMessageSize;
        Forwarding = new HeaderForwarding(options.GrpcHeaderForwardPattern);
        Nvcf = nvcf ?? new NvcfConventions(options);
        Restricted = RestrictedApi.Parse(options.GrpcRestrictedProtocol, RestrictedApi.GrpcHeaderPrefix);
        ResponseCompression = options.GrpcInferResponseCompressionLevel switch
        {
            "low" => CompressionLevel.Fastest,
            "medium" => CompressionLevel.Optimal,
            "high" => CompressionLevel.SmallestSize,
            _ => null,
        };
    }

    public long MaxMessageSize { get; }

    /// <summary>What watches inferences.</summary>
    public RequestObserver Observer { get; init; } = RequestObserver.None;

    /// <summary>Which methods want a secret in the metadata.</summary>
    public RestrictedApi Restricted { get; }

    /// <summary>Which metadata becomes request parameters.</summary>
    public HeaderForwarding Forwarding { get; }

    /// <summary>What metadata of the platform's means.</summary>
    public NvcfConventions Nvcf { get; }

    /// <summary>How inference responses are compressed for clients that accept gzip; null for not at all.</summary>
    public CompressionLevel? ResponseCompression { get; }
}
