using FluentValidation;
using HostOptions = Runtime.Host.Options.HostOptions;

namespace Runtime.Host.Nvcf;

/// <summary>What the settings of a host must hold that runs as a function, and when it does.</summary>
internal sealed class FunctionRules : AbstractValidator<HostOptions>
{
    /// <summary>The platform ends a container so long after SIGTERM, with some seconds to spare.</summary>
    private const int MaxStopSeconds = 110;

    private static readonly string[] Variables = ["NVCF_FUNCTION_ID", "NVCF_FUNCTION_VERSION_ID"];

    public FunctionRules()
    {
        RuleFor(o => o.Nvcf).Must(nvcf => nvcf is "true" or "false" or "auto").WithMessage("--nvcf: expected true, false or auto, got '{PropertyValue}'");
        RuleFor(o => o.NvcfMaxAssetSize).GreaterThan(0).WithMessage("--nvcf-max-asset-size: expected 1 or more, got {PropertyValue}");
        When(o => o.IsFunction, () =>
        {
            RuleFor(o => o.HttpPort).Must(IsFree).When(o => o.AllowHttp).WithMessage(Reserved("--http-port"));
            RuleFor(o => o.GrpcPort).Must(IsFree).When(o => o.AllowGrpc).WithMessage(Reserved("--grpc-port"));
            RuleFor(o => o.MetricsPort).Must(IsFree).When(o => o.AllowMetrics).WithMessage(Reserved("--metrics-port"));
            RuleFor(o => o).Must(o => (long)o.DrainDelaySecs + o.ExitTimeoutSecs <= MaxStopSeconds).WithMessage(
                o => $"--drain-delay-secs and --exit-timeout-secs: a function has {MaxStopSeconds} seconds to stop, got {(long)o.DrainDelaySecs + o.ExitTimeoutSecs}");
            RuleFor(o => o.LogFile).Must((o, file) => !IsBelow(file, o.NvcfConfigRoot)).WithMessage(
                o => $"--log-file: '{o.LogFile}' is below {o.NvcfConfigRoot}, which a function must not write to");
        });
    }

    /// <summary>The setting as it stands once the environment was asked; true and false stay.</summary>
    public static string Decide(string setting, IReadOnlyDictionary<string, string> environment) => setting.ToLowerInvariant() switch
    {
        "1" => "true",
        "0" => "false",
        "auto" => Variables.Any(variable => environment.GetValueOrDefault(variable) is { Length: > 0 }) ? "true" : "false",
        var given => given,
    };

    private static bool IsFree(int port) => port is not (8080 or 8010);

    private static string Reserved(string flag) => flag + ": NVIDIA Cloud Functions keeps the ports 8080 and 8010 for itself, got {PropertyValue}; choose another";

    private static bool IsBelow(string file, string root)
        => file.Length > 0 && Path.GetFullPath(file).StartsWith(Path.TrimEndingDirectorySeparator(Path.GetFullPath(root)) + '/', StringComparison.Ordinal);
}
