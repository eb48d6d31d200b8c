using System.Collections;
using Runtime.Host.Http;
using Runtime.Host.Lifecycle;
using Runtime.Host.Logging;
using Runtime.Host.Options;
using Runtime.Host.Settings;

try
{
    var environment = Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().ToDictionary(e => (string)e.Key, e => (string?)e.Value ?? "");
    var (options, warnings, text) = HostOptionsBinder.Bind(args, environment, Directory.GetCurrentDirectory());
    if (text is not null)
    {
        Console.WriteLine(text);
        return 0;
    }

    using var signals = new ShutdownSignals();
    await using var output = LogOutput.Open(options.LogFile);
    using var loggers = LogProvider.CreateFactory(new LogSettings(options), output, warnings);
    using var state = new ServerState(options.StrictReadiness, () => true);
    var models = new ServedModels(_ => Task.CompletedTask, () => [], () => ValueTask.CompletedTask);
    RequestDelegate closed = context => HttpErrors.WriteAsync(context, StatusCodes.Status503ServiceUnavailable, "nothing is served here");
    using var server = new InferenceServer(options, new Doors(closed, closed, closed), loggers);
    return await new ServerProcess(options, state, server, models, loggers).RunAsync(signals.First);
}
catch (StartException e)
{
    Console.Error.WriteLine("runtime-host: " + e.Message);
    return 1;
}
