using FluentValidation;
using Runtime.Host.Http;
using Runtime.Host.Nvcf;

namespace Runtime.Host.Options;

/// <summary>What settings must hold, alone and together.</summary>
internal sealed class HostOptionsRules : AbstractValidator<HostOptions>
{
    private static readonly string[] Apis =
        ["health", "metadata", "inference", "shared-memory", "model-config", "model-repository", "statistics", "trace", "logging"];

    public HostOptionsRules()
    {
        ClassLevelCascadeMode = CascadeMode.Continue;
        ModelRules();
        ListenerRules();
        LogRules();
        LimitRules();
        Include(new FunctionRules());
        RuleFor(o => o.ExitTimeoutSecs).GreaterThanOrEqualTo(0).WithMessage("--exit-timeout-secs: expected 0 or more, got {PropertyValue}");
    }

    private void ModelRules()
    {
        RuleFor(o => o.ModelControlMode).Must(mode => mode is "none" or "explicit" or "poll").WithMessage("--model-control-mode: expected none, explicit or poll, got '{PropertyValue}'");
        RuleFor(o => o.LoadModel).Empty().When(o => o.ModelControlMode != "explicit").WithMessage(o => $"--load-model needs --model-control-mode=explicit, the mode is '{o.ModelControlMode}'");
        RuleFor(o => o.LoadModel).Must(models => models.Count == 1).When(o => o.LoadModel.Contains("*")).WithMessage("--load-model=* loads every model and stands alone");
        RuleFor(o => o.OnnxIntraOpThreads).InclusiveBetween(0, 1024).WithMessage("--onnx-intra-op-threads: expected 0 to 1024, got {PropertyValue}");
        RuleFor(o => o.OnnxInterOpThreads).InclusiveBetween(0, 1024).WithMessage("--onnx-inter-op-threads: expected 0 to 1024, got {PropertyValue}");
        RuleFor(o => o.RepositoryPollSecs).GreaterThan(0).When(o => o.ModelControlMode == "poll").WithMessage("--repository-poll-secs: expected 1 or more, got {PropertyValue}");
        RuleFor(o => o).Custom((o, context) =>
        {
            if (CacheFlags.TryRead(o, out _) is { } message)
            {
                context.AddFailure(message);
            }
        });
        RuleFor(o => o.MetricsConfig).Custom((entries, context) =>
        {
            if (MetricsFlags.TryRead(entries, out _) is { } message)
            {
                context.AddFailure(message);
            }
        });
        RuleFor(o => o.Id).NotEmpty().WithMessage("--id must not be empty");
    }

    private void ListenerRules()
    {
        RuleFor(o => o.HttpPort).InclusiveBetween(0, 65535).WithMessage("--http-port: expected 0 to 65535, got {PropertyValue}");
        RuleFor(o => o.GrpcPort).InclusiveBetween(0, 65535).WithMessage("--grpc-port: expected 0 to 65535, got {PropertyValue}");
        RuleFor(o => o.MetricsPort).InclusiveBetween(0, 65535).WithMessage("--metrics-port: expected 0 to 65535, got {PropertyValue}");
        RuleFor(o => o).Must(o => o.AllowHttp || o.AllowGrpc).WithMessage("--allow-http=false and --allow-grpc=false together leave nothing to serve");
        RuleFor(o => o).Custom((o, context) =>
        {
            if (Collision(o) is { } message)
            {
                context.AddFailure(message);
            }
        });
        RuleFor(o => o.HttpMaxInputSize).GreaterThan(0).WithMessage("--http-max-input-size: expected 1 or more, got {PropertyValue}");
        RuleFor(o => o.GrpcMaxMessageSize).InclusiveBetween(1, int.MaxValue).WithMessage("--grpc-max-message-size: expected 1 to 2147483647, got {PropertyValue}");
        RuleFor(o => o.SseHeartbeatSecs).InclusiveBetween(0, 86_400).WithMessage("--sse-heartbeat-secs: expected 0 to 86400, got {PropertyValue}");
        RuleFor(o => o.SseTerminalEvent).Must(text => text.AsSpan().IndexOfAny('\r', '\n') < 0).WithMessage("--sse-terminal-event: expected one line");
        RuleFor(o => o.HttpHeaderForwardPattern).Must(IsPattern).WithMessage("--http-header-forward-pattern: '{PropertyValue}' is not a regular expression");
        RuleFor(o => o.GrpcInferResponseCompressionLevel).Must(level => level is "none" or "low" or "medium" or "high")
            .WithMessage("--grpc-infer-response-compression-level: expected none, low, medium or high, got '{PropertyValue}'");
        RuleFor(o => o.GrpcHeaderForwardPattern).Must(IsPattern).WithMessage("--grpc-header-forward-pattern: '{PropertyValue}' is not a regular expression");
        RuleFor(o => o.HttpRestrictedApi).Custom((entries, context) => Restricted("--http-restricted-api", entries, context.AddFailure));
        RuleFor(o => o.GrpcRestrictedProtocol).Custom((entries, context) => Restricted("--grpc-restricted-protocol", entries, context.AddFailure));
    }

    private void LimitRules()
    {
        RuleFor(o => o.DrainDelaySecs).GreaterThanOrEqualTo(0).WithMessage("--drain-delay-secs: expected 0 or more, got {PropertyValue}");
        RuleFor(o => o.MaxRequestsInFlight).GreaterThanOrEqualTo(0).WithMessage("--max-requests-in-flight: expected 0 or more, got {PropertyValue}");
        RuleFor(o => o.MaxBodyBytesInFlight).GreaterThanOrEqualTo(0).WithMessage("--max-body-bytes-in-flight: expected 0 or more, got {PropertyValue}");
        RuleFor(o => o.RequestTimeoutMs).GreaterThanOrEqualTo(0).WithMessage("--request-timeout-ms: expected 0 or more, got {PropertyValue}");
        RuleFor(o => o.DefaultMaxQueueSize).GreaterThanOrEqualTo(0).WithMessage("--default-max-queue-size: expected 0 or more, got {PropertyValue}");
    }

    private void LogRules()
    {
        RuleFor(o => o.LogVerbose).GreaterThanOrEqualTo(0).WithMessage("--log-verbose: expected 0 or more, got {PropertyValue}");
        RuleFor(o => o.LogFormat).Must(format => format is "default" or "ISO8601").WithMessage("--log-format: expected default or ISO8601, got '{PropertyValue}'");
    }

    private static string? Collision(HostOptions o)
    {
        (string Name, bool Allowed, string Address, int Port)[] doors =
        [
            ("http", o.AllowHttp, o.HttpAddress, o.HttpPort),
            ("grpc", o.AllowGrpc, o.GrpcAddress, o.GrpcPort),
            ("metrics", o.AllowMetrics, o.MetricsAddress, o.MetricsPort),
        ];
        var pairs = from a in doors
                    from b in doors
                    where string.CompareOrdinal(a.Name, b.Name) < 0 && a.Allowed && b.Allowed && a.Port == b.Port && a.Port != 0
                        && (a.Address == b.Address || IsAny(a.Address) || IsAny(b.Address))
                    select $"--{a.Name}-port and --{b.Name}-port are both {a.Port}";
        return pairs.FirstOrDefault();
    }

    private static bool IsAny(string address) => address is "0.0.0.0" or "::" or "*";

    private static bool IsPattern(string pattern)
    {
        try
        {
            _ = HeaderForwarding.Compile(pattern);
            return true;
        }
        catch (Exception exception) when (exception is ArgumentException or NotSupportedException)
        {
            return false;
        }
    }

    private static void Restricted(string flag, IReadOnlyList<string> entries, Action<string> fail)
    {
        if (!RestrictedApi.TryParse(entries, "", out _, out var fault) && !HasSpoken(flag, entries, fail))
        {
            fail($"{flag}: {fault}");
        }
    }

    /// <summary>Says every fault of the entries' form, where the parser stops at the first.</summary>
    private static bool HasSpoken(string flag, IReadOnlyList<string> entries, Action<string> report)
    {
        var hasSpoken = false;
        var seen = new HashSet<string>();
        void Fail(string message)
        {
            hasSpoken = true;
            report(message);
        }

        foreach (var entry in entries)
        {
            var colon = entry.IndexOf(':', StringComparison.Ordinal);
            if (colon <= 0 || entry.IndexOf('=', colon + 1) <= colon + 1)
            {
                Fail($"{flag}: expected API[,API…]:KEY=VALUE, got '{entry}'");
                continue;
            }

            foreach (var api in entry[..colon].Split(',', StringSplitOptions.TrimEntries))
            {
                if (!Apis.Contains(api))
                {
                    Fail($"{flag}: unknown API '{api}'; there are {string.Join(", ", Apis)}");
                }
                else if (!seen.Add(api))
                {
                    Fail($"{flag}: '{api}' is restricted twice");
                }
            }
        }

        return hasSpoken;
    }
}
