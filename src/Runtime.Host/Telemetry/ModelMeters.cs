using System.Diagnostics.Metrics;
using Runtime.Host.Lifecycle;
using Runtime.Models;
using Runtime.Tensors;

namespace Runtime.Host.Telemetry;

/// <summary>The models' statistics as instruments of the meter <c>Runtime</c>. They are read when they are collected, so requests know nothing of them.</summary>
internal sealed class ModelMeters : IDisposable
{
    public const string MeterName = "Runtime";

    private static readonly string[] Reasons = ["REJECTED", "CANCELED", "BACKEND", "OTHER"];

    private readonly ModelRepository _models;
    private readonly Meter _meter = new(MeterName);

    public ModelMeters(ModelRepository models, Admission admission)
    {
        _models = models;
        AddCounts();
        AddTimes();
        _meter.CreateObservableUpDownCounter("runtime.queue.length", () => OfModels(static s => s.Pending), "{request}", "Requests that wait for an instance");
        _meter.CreateObservableUpDownCounter("runtime.requests.in_flight", () => admission.RequestsInFlight, "{request}", "Inference requests in the process");
        _meter.CreateObservableCounter("runtime.requests.refused", () => Refused(admission), "{request}", "Inference requests that the process refused at its door");
        _meter.CreateObservableUpDownCounter("runtime.tensor_pool.used", static () => TensorPool.Shared.Bytes.Item1, "By", "Tensor memory in use");
        if (models.Cache is { } cache)
        {
            _meter.CreateObservableUpDownCounter("runtime.response_cache.size", () => (long)cache.Counts.Item2, "By", "Bytes of the response cache in use");
        }
    }

    public void Dispose() => _meter.Dispose();

    private void AddCounts()
    {
        _meter.CreateObservableCounter("runtime.requests", () => OfModels(static s => s.Success.Count), "{request}", "Requests that were answered");
        _meter.CreateObservableCounter("runtime.requests.failed", Failures, "{request}", "Requests that failed");
        _meter.CreateObservableCounter("runtime.inferences", () => OfModels(static s => s.InferenceCount), "{inference}", "Rows that were answered");
        _meter.CreateObservableCounter("runtime.executions", () => OfModels(static s => s.ExecutionCount), "{execution}", "Batches that were executed");
        _meter.CreateObservableCounter("runtime.input.size", () => OfModels(static s => s.InputBytes), "By", "Bytes of the inputs of answered requests");
        _meter.CreateObservableCounter("runtime.cache.hits", () => OfModels(static s => s.CacheHit.Count), "{request}", "Requests that the response cache answered");
        _meter.CreateObservableCounter("runtime.cache.misses", () => OfModels(static s => s.CacheMiss.Count), "{request}", "Requests that the response cache did not know");
    }

    private void AddTimes()
    {
        _meter.CreateObservableCounter("runtime.request.time", () => OfModels(static s => Seconds(s.Success)), "s", "Time that answered requests took, all together");
        _meter.CreateObservableCounter("runtime.queue.time", () => OfModels(static s => Seconds(s.Queue)), "s", "Of it, time in queues");
        _meter.CreateObservableCounter("runtime.compute.input.time", () => OfModels(static s => Seconds(s.ComputeInput)), "s", "Of it, time to gather inputs");
        _meter.CreateObservableCounter("runtime.compute.infer.time", () => OfModels(static s => Seconds(s.ComputeInfer)), "s", "Of it, time in execution");
        _meter.CreateObservableCounter("runtime.compute.output.time", () => OfModels(static s => Seconds(s.ComputeOutput)), "s", "Of it, time to split outputs");
    }

    private List<Measurement<T>> OfModels<T>(Func<ModelStatisticsSnapshot, T> read)
        where T : struct
    {
        _models.TryList("", "", out var serving);
        return [.. serving.Select(model => new Measurement<T>(read(model.Statistics.Snapshot()), new(ModelTracing.ModelTag, model.Name), new(ModelTracing.VersionTag, model.Version)))];
    }

    private List<Measurement<long>> Failures()
    {
        _models.TryList("", "", out var serving);
        return
        [
            .. from model in serving
               let failures = model.Statistics.Snapshot().Failures
               from reason in Enumerable.Range(0, Reasons.Length)
               select new Measurement<long>(failures[reason], new(ModelTracing.ModelTag, model.Name), new(ModelTracing.VersionTag, model.Version), new(ModelTracing.ErrorTag, Reasons[reason])),
        ];
    }

    private static IEnumerable<Measurement<long>> Refused(Admission admission)
        => Enum.GetValues<Refusal>().Select(reason => new Measurement<long>(admission.Refused(reason), new KeyValuePair<string, object?>(ModelTracing.ErrorTag, reason.ToString().ToUpperInvariant())));

    private static double Seconds(StatisticDuration duration) => duration.Nanoseconds / 1e9;
}
