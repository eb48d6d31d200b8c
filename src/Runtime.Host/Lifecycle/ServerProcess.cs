using System.Globalization;
using System.Text;
using Runtime.Host.Options;
using Runtime.Models;

namespace Runtime.Host.Lifecycle;

/// <summary>The process from its first listener to its last request: listen, load, serve until told to stop, drain, unload.</summary>
internal sealed class ServerProcess(HostOptions options, Admission admission, InferenceServer server, ServedModels models, ILoggerFactory loggers)
{
    private readonly ServerState _state = admission.State;
    private readonly ILogger _logger = loggers.CreateLogger<ServerProcess>();

    /// <summary>Whether models were still loading when the process had to end.</summary>
    private bool _stillLoads;

    /// <summary>Whether requests were cut off by the exit timeout, whose executions may go on.</summary>
    private bool _wasCutOff;

    /// <summary>The clock of the start and the drain.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Runs until <paramref name="stop"/> ends or something breaks for good; the result is the process's exit code.</summary>
    public async Task<int> RunAsync(Task stop)
    {
        try
        {
            // A taken port fails before minutes of loading, and liveness answers during them.
            server.Listen();
            await LoadAsync(stop);
            await Task.WhenAny(stop, _state.Broken);
            return await DrainAsync() && _state.IsLive && !_stillLoads ? 0 : 1;
        }
        finally
        {
            _state.BeginDraining();
            await server.StopAsync();
            await UnloadAsync();
        }
    }

    private async Task LoadAsync(Task stop)
    {
        using var cancellation = new CancellationTokenSource();
        var loading = Task.Run(() => models.StartAsync(cancellation.Token), CancellationToken.None);
        var first = PrepareAsync(loading, cancellation.Token);
        try
        {
            await server.StartAsync(CancellationToken.None);
            if (await Task.WhenAny(Task.WhenAll(loading, first), stop) != stop)
            {
                Report(await FailedAsync(loading));
            }
        }
        finally
        {
            await cancellation.CancelAsync();
            await EndLoadingAsync(loading);
        }
    }

    /// <summary>No more models begin to load; those that do cannot be interrupted.</summary>
    private async Task EndLoadingAsync(Task loading)
    {
        _stillLoads = !await EndsWithinAsync(Task.WhenAny(loading), TimeSpan.FromSeconds(options.ExitTimeoutSecs));
        if (_stillLoads)
        {
            _logger.LogError("The exit timeout of {Seconds} seconds ended models that were still loading", options.ExitTimeoutSecs);
        }
    }

    private async Task PrepareAsync(Task loading, CancellationToken cancellation)
    {
        if (await Task.WhenAny(loading, Task.Delay(FirstRequest.LongStart, Time, cancellation)) != loading)
        {
            using var longest = new CancellationTokenSource(FirstRequest.Longest, Time);
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation, longest.Token);
            await FirstRequest.SendAsync(limit.Token);
        }
    }

    private void Report(IReadOnlyList<ModelEvent> failed)
    {
        var serves = !options.ExitOnError || failed.Count == 0;
        if (serves)
        {
            _state.Started(); // first, since the first clients wait for it and nobody for the report
        }

        var index = models.Index();
        _logger.LogInformation("{Table}", Table(index));
        if (!serves)
        {
            throw new StartException($"{string.Join("; ", failed.Select(model => model.Reason))} (--exit-on-error=false serves the other models)");
        }

        _logger.LogInformation("Serving {Count} of {All} models", index.Count(entry => entry.State == "READY"), index.Count);
    }

    private async Task<bool> DrainAsync()
    {
        _state.EndReadiness();
        server.CloseConnectionsAfterAnswers();
        if (_state.IsLive && _state.HasStarted && options.DrainDelaySecs > 0)
        {
            _logger.LogInformation("Not ready any more, and serving on for {Seconds} seconds", options.DrainDelaySecs);
            await Task.WhenAny(Task.Delay(TimeSpan.FromSeconds(options.DrainDelaySecs), Time), _state.Broken);
        }

        if (!_state.IsLive)
        {
            _logger.LogCritical("Stopping, since this process cannot go on: {Reason}", await _state.Broken);
        }

        _logger.LogInformation("Stopping: requests in flight have {Seconds} seconds", options.ExitTimeoutSecs);
        _state.BeginDraining();

        // Listening goes on until the last inference is answered, so that new ones hear why they are refused.
        var start = Time.GetTimestamp();
        var limit = TimeSpan.FromSeconds(options.ExitTimeoutSecs);
        var drained = await EndsWithinAsync(admission.IdleAsync(), limit);
        drained &= await server.StopAsync(limit - Time.GetElapsedTime(start));
        _wasCutOff = !drained;
        if (_wasCutOff)
        {
            _logger.LogError("The exit timeout of {Seconds} seconds ended requests in flight", options.ExitTimeoutSecs);
        }

        return drained;
    }

    /// <summary>What holds a lost device, hangs or could not be stopped in time may never be freed, so the end of the process then waits no longer than the exit timeout.</summary>
    private async Task UnloadAsync()
    {
        if (_stillLoads)
        {
            return; // it would wait for the same load
        }

        var unloading = models.StopAsync().AsTask();
        if (_state.IsLive && !_state.HasHungModel && !_wasCutOff)
        {
            await unloading;
            return;
        }

        await EndsWithinAsync(unloading, TimeSpan.FromSeconds(options.ExitTimeoutSecs));
    }

    private async Task<bool> EndsWithinAsync(Task task, TimeSpan limit)
    {
        try
        {
            await task.WaitAsync(limit, Time);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    private static async Task<IReadOnlyList<ModelEvent>> FailedAsync(Task<IReadOnlyList<ModelEvent>> loading)
    {
        try
        {
            return await loading;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartException($"cannot read the model repository: {e.Message}", e);
        }
    }

    private static string Table(IReadOnlyList<ModelIndexEntry> index)
    {
        var width = Math.Max(5, index.Count == 0 ? 0 : index.Max(entry => entry.Name.Length));
        var text = new StringBuilder("Models").AppendLine();
        text.Append(CultureInfo.InvariantCulture, $"  {"Model".PadRight(width)}  Version  Status");
        foreach (var entry in index)
        {
            var version = entry.Version.Length > 0 ? entry.Version : "-";
            var status = entry.State.Length == 0 ? "not loaded" : entry.Reason.Length > 0 ? $"{entry.State}: {entry.Reason}" : entry.State;
            text.AppendLine().Append(CultureInfo.InvariantCulture, $"  {entry.Name.PadRight(width)}  {version,-7}  {status}");
        }

        return text.ToString();
    }
}
