using Runtime.Host.Options;

namespace Runtime.Host.Nvcf;

/// <summary>What the settings of a host must hold that runs as a function, and when it does.</summary>
internal sealed class FunctionRules : OptionRules
{
    /// <summary>The platform ends a container so long after SIGTERM, with some seconds to spare.</summary>
    private const int MaxStopSeconds = 110;

    private static readonly string[] Variables = ["NVCF_FUNCTION_ID", "NVCF_FUNCTION_VERSION_ID"];

    public FunctionRules()
    {
        Require(o => o.Nvcf is "true" or "false" or "auto", o => $"--nvcf: expected true, false or auto, got '{o.Nvcf}'");
        Require(o => o.NvcfMaxAssetSize > 0, o => $"--nvcf-max-asset-size: expected 1 or more, got {o.NvcfMaxAssetSize}");
        RequireOfFunction(o => !o.AllowHttp || IsFree(o.HttpPort), o => Reserved("--http-port", o.HttpPort));
        RequireOfFunction(o => !o.AllowGrpc || IsFree(o.GrpcPort), o => Reserved("--grpc-port", o.GrpcPort));
        RequireOfFunction(o => !o.AllowMetrics || IsFree(o.MetricsPort), o => Reserved("--metrics-port", o.MetricsPort));
        RequireOfFunction(
            o => (long)o.DrainDelaySecs + o.ExitTimeoutSecs <= MaxStopSeconds,
            o => $"--drain-delay-secs and --exit-timeout-secs: a function has {MaxStopSeconds} seconds to stop, got {(long)o.DrainDelaySecs + o.ExitTimeoutSecs}");
        RequireOfFunction(
            o => !IsBelow(o.LogFile, o.NvcfConfigRoot),
            o => $"--log-file: '{o.LogFile}' is below {o.NvcfConfigRoot}, which a function must not write to");
    }

    /// <summary>The setting as it stands once the environment was asked; true and false stay.</summary>
    public static string Decide(string setting, IReadOnlyDictionary<string, string> environment) => setting.ToLowerInvariant() switch
    {
        "1" => "true",
        "0" => "false",
        "auto" => Variables.Any(variable => environment.GetValueOrDefault(variable) is { Length: > 0 }) ? "true" : "false",
        var given => given,
    };

    private void RequireOfFunction(Func<HostOptions, bool> holds, Func<HostOptions, string> message) => Require(o => !o.IsFunction || holds(o), message);

    private static bool IsFree(int port) => port is not (8080 or 8010);

    private static string Reserved(string flag, int port) => $"{flag}: NVIDIA Cloud Functions keeps the ports 8080 and 8010 for itself, got {port}; choose another";

    private static bool IsBelow(string file, string root)
        => file.Length > 0 && Path.GetFullPath(file).StartsWith(Path.TrimEndingDirectorySeparator(Path.GetFullPath(root)) + '/', StringComparison.Ordinal);
}
