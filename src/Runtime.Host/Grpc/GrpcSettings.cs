using System.IO.Compression;
using System.Text.RegularExpressions;
using Runtime.Host.Http;

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
    public GrpcSettings(Options.HostOptions options)
    {
        MaxMessageSize = options.GrpcMaxMessageSize;
        ForwardPattern = options.GrpcHeaderForwardPattern.Length == 0
            ? null
            : new Regex(options.GrpcHeaderForwardPattern, RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.NonBacktracking);
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

    /// <summary>Which methods want a secret in the metadata.</summary>
    public RestrictedApi Restricted { get; }

    /// <summary>Which metadata becomes request parameters: where it finds a part of the name, as in Triton; null for none.</summary>
    public Regex? ForwardPattern { get; }

    /// <summary>How inference responses are compressed for clients that accept gzip; null for not at all.</summary>
    public CompressionLevel? ResponseCompression { get; }
}
