using Runtime.Backends;
using Runtime.Host.Lifecycle;
using Runtime.Host.Logging;
using Runtime.Host.Options;
using Runtime.Host.Settings;
using Runtime.Host.Telemetry;
using Runtime.Host.Verbs;
using Runtime.Models.Configuration;
using Runtime.Onnx;
using Runtime.Torch;

try
{
    if (VerbTable.Find(args) is { } verb)
    {
        return await verb.RunAsync([.. args.Skip(1)]);
    }

    NativeHeap.Bound();
    TorchBackend.LetIdleThreadsSleep();
    OnnxBackend.BeginPreload();
    ModelConfigText.BeginPreload();
    var environment = HostOptionsBinder.Environment();
    var (options, warnings, text) = HostOptionsBinder.Bind(args, environment, Directory.GetCurrentDirectory());
    if (text is not null)
    {
        Console.WriteLine(text);
        return 0;
    }

    using var signals = new ShutdownSignals();
    await using var output = LogOutput.Open(options.LogFile);
    var log = new LogSettings(options);
    await using var telemetry = TelemetryExport.Start(environment, options);
    using var loggers = LogProvider.CreateFactory(log, output, [.. warnings, .. telemetry.Warnings], telemetry.Logs);
    var hosted = HostedModels.Create(options, loggers);
    var models = hosted.Repository;
    using var state = new ServerState(options.StrictReadiness, () => models.IsReady);
    models.FailedForGood += (model, error) => state.Break($"model '{model}': {error.Message}");
    var admission = new Admission(options, state);
    using var canary = Canary.Start(options, models, state, loggers);
    telemetry.Observe(models, admission, loggers);
    using var doors = new DoorFactory(options, hosted, admission, log, loggers);
    using var server = new InferenceServer(options, doors.Create, loggers);
    return await new ServerProcess(options, admission, server, hosted.Serve(), loggers).RunAsync(signals.First);
}
catch (StartException e)
{
    Console.Error.WriteLine("runtime-host: " + e.Message);
    return 1;
}
