using System.Diagnostics;

namespace Runtime.Models;

/// <summary>The stages of one request, as <see cref="Stopwatch"/> timestamps; stages not reached are 0.</summary>
internal struct RequestTimes
{
    public long Arrival;
    public long Queued;
    public long ComputeStart;
    public long InferStart;
    public long InferEnd;
    public long ComputeEnd;
}

/// <summary>Why a request failed, the <c>reason</c> label of <c>nv_inference_request_failure</c>.</summary>
public enum FailureReason
{
    Rejected,
    Canceled,
    Backend,
    Other,
}

/// <summary>The counters of one version of a model: the only place where inference is counted. Thread-safe.</summary>
public sealed class ModelStatistics
{
    private const int MaxResponsePositions = 1024;

    private readonly Lock _gate = new();
    private readonly SortedDictionary<int, BatchStatistics> _batches = [];
    private readonly List<ResponseStatistics> _responses = [];
    private readonly long[] _failures = new long[4];
    private readonly ModelHistograms _histograms = new();
    private ModelSummaries? _summaries;
    private long _lastInference;
    private long _inferences;
    private long _executions;
    private StatisticDuration _success;
    private StatisticDuration _fail;
    private StatisticDuration _queue;
    private StatisticDuration _input;
    private StatisticDuration _infer;
    private StatisticDuration _output;
    private StatisticDuration _cacheHit;
    private StatisticDuration _cacheMiss;
    private long _inputBytes;
    private long _pending;

    /// <summary>Requests that wait in the queue.</summary>
    public long Pending => Interlocked.Read(ref _pending);

    /// <summary>Set once, before the version serves.</summary>
    internal TimeSpan LoadDuration { get; set; }

    /// <summary>Set once, before the version serves.</summary>
    internal bool IsCached { get; set; }

    /// <summary>Set once, before the version serves.</summary>
    internal bool IsDecoupled { get; set; }

    /// <summary>Keeps quantiles from now on. Called at most once, before the version serves.</summary>
    internal void BeginSummaries() => _summaries = new ModelSummaries();

    internal void AddPending(int change) => Interlocked.Add(ref _pending, change);

    /// <summary>Counts a request that was answered.</summary>
    internal void RecordSuccess(in RequestTimes times, int rows, long inputBytes)
    {
        var end = Stopwatch.GetTimestamp();
        lock (_gate)
        {
            _lastInference = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
            _inferences += rows;
            _inputBytes += inputBytes;
            AddAnswer(end, Nanoseconds(times.Arrival, end), Nanoseconds(times.Queued, times.ComputeStart));
            _input = AddStage(_input, SummaryStage.ComputeInput, end, Nanoseconds(times.ComputeStart, times.InferStart));
            _infer = AddStage(_infer, SummaryStage.ComputeInfer, end, Nanoseconds(times.InferStart, times.InferEnd));
            _output = AddStage(_output, SummaryStage.ComputeOutput, end, Nanoseconds(times.InferEnd, times.ComputeEnd));
        }
    }

    /// <summary>Counts a request that the response cache answered: it waited in no queue, and nothing was executed.</summary>
    internal void RecordCacheHit(long arrivalTimestamp, long lookupTimestamp, long inputBytes)
    {
        var end = Stopwatch.GetTimestamp();
        lock (_gate)
        {
            _lastInference = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
            _inputBytes += inputBytes;
            AddAnswer(end, Nanoseconds(arrivalTimestamp, end), 0);
            _cacheHit = _cacheHit.Plus(Nanoseconds(lookupTimestamp, end));
        }
    }

    /// <summary>Counts a lookup in the response cache that found nothing, or the time that storing the answer took.</summary>
    internal void RecordCacheMiss(long startTimestamp, bool isLookup)
    {
        var end = Stopwatch.GetTimestamp();
        lock (_gate)
        {
            _cacheMiss = _cacheMiss.Plus(Nanoseconds(startTimestamp, end), isLookup ? 1 : 0);
        }
    }

    /// <summary>Counts a request that failed.</summary>
    internal void RecordFailure(long arrivalTimestamp, FailureReason reason)
    {
        var end = Stopwatch.GetTimestamp();
        lock (_gate)
        {
            _failures[(int)reason]++;
            _fail = _fail.Plus(Nanoseconds(arrivalTimestamp, end));
        }
    }

    /// <summary>Counts one execution of so many rows.</summary>
    internal void RecordExecution(int rows, in RequestTimes times)
    {
        lock (_gate)
        {
            _executions++;
            _histograms.BatchRows.Add(rows);
            var batch = _batches.GetValueOrDefault(rows) ?? new BatchStatistics(rows, default, default, default);
            _batches[rows] = new BatchStatistics(
                rows,
                batch.ComputeInput.Plus(Nanoseconds(times.ComputeStart, times.InferStart)),
                batch.ComputeInfer.Plus(Nanoseconds(times.InferStart, times.InferEnd)),
                batch.ComputeOutput.Plus(Nanoseconds(times.InferEnd, times.ComputeEnd)));
        }
    }

    /// <summary>Counts one response of a decoupled request, by its position in the stream; the last, empty one included.</summary>
    internal void RecordResponse(int position, long startTimestamp, ResponseOutcome outcome)
    {
        var nanoseconds = Nanoseconds(startTimestamp, Stopwatch.GetTimestamp());
        lock (_gate)
        {
            while (_responses.Count <= position && _responses.Count < MaxResponsePositions)
            {
                _responses.Add(new ResponseStatistics(
                    _responses.Count.ToString(System.Globalization.CultureInfo.InvariantCulture), default, default, default, default, default, default));
            }

            if (position < _responses.Count)
            {
                _responses[position] = Add(_responses[position], nanoseconds, outcome);
            }
        }
    }

    /// <summary>Counts how long the first response of a decoupled request took.</summary>
    internal void RecordFirstResponse(long arrivalTimestamp)
    {
        var nanoseconds = Nanoseconds(arrivalTimestamp, Stopwatch.GetTimestamp());
        lock (_gate)
        {
            _histograms.FirstResponseMilliseconds.Add(nanoseconds / 1e6);
        }
    }

    /// <summary>Summaries by <see cref="SummaryStage"/>, in the order of the enumeration, with those quantiles; null where none are kept.</summary>
    public IReadOnlyList<SummarySnapshot>? Summaries(IReadOnlyList<double> quantiles)
    {
        lock (_gate)
        {
            return _summaries?.Snapshot(Stopwatch.GetTimestamp(), quantiles);
        }
    }

    /// <summary>A consistent copy.</summary>
    public ModelStatisticsSnapshot Snapshot()
    {
        lock (_gate)
        {
            return new ModelStatisticsSnapshot
            {
                LastInferenceMilliseconds = _lastInference,
                InferenceCount = _inferences,
                ExecutionCount = _executions,
                Success = _success,
                Fail = _fail,
                Queue = _queue,
                ComputeInput = _input,
                ComputeInfer = _infer,
                ComputeOutput = _output,
                Failures = [.. _failures],
                Pending = Pending,
                Batches = [.. _batches.Values],
                Responses = [.. _responses],
                InputBytes = _inputBytes,
                CacheHit = _cacheHit,
                CacheMiss = _cacheMiss,
                IsCached = IsCached,
                RequestSeconds = _histograms.RequestSeconds.Snapshot(),
                QueueSeconds = _histograms.QueueSeconds.Snapshot(),
                BatchRows = _histograms.BatchRows.Snapshot(),
                FirstResponseMilliseconds = IsDecoupled ? _histograms.FirstResponseMilliseconds.Snapshot() : null,
                LoadDuration = LoadDuration,
            };
        }
    }

    private void AddAnswer(long timestamp, long nanoseconds, long queueNanoseconds)
    {
        _success = AddStage(_success, SummaryStage.Request, timestamp, nanoseconds);
        _queue = AddStage(_queue, SummaryStage.Queue, timestamp, queueNanoseconds);
        _histograms.RequestSeconds.Add(nanoseconds / 1e9);
        _histograms.QueueSeconds.Add(queueNanoseconds / 1e9);
    }

    private StatisticDuration AddStage(StatisticDuration total, SummaryStage stage, long timestamp, long nanoseconds)
    {
        _summaries?.Add(stage, timestamp, nanoseconds);
        return total.Plus(nanoseconds);
    }

    private static ResponseStatistics Add(ResponseStatistics row, long nanoseconds, ResponseOutcome outcome) => outcome switch
    {
        ResponseOutcome.Success => row with { ComputeInfer = row.ComputeInfer.Plus(nanoseconds), ComputeOutput = row.ComputeOutput.Plus(0), Success = row.Success.Plus(nanoseconds) },
        ResponseOutcome.Empty => row with { Empty = row.Empty.Plus(nanoseconds) },
        ResponseOutcome.Cancel => row with { Cancel = row.Cancel.Plus(nanoseconds) },
        _ => row with { Fail = row.Fail.Plus(nanoseconds) },
    };

    private static long Nanoseconds(long start, long end) => start == 0 || end <= start ? 0 : (long)((end - start) * (1e9 / Stopwatch.Frequency));
}

/// <summary>How one response of a stream ended.</summary>
internal enum ResponseOutcome
{
    Success,
    Fail,
    Empty,
    Cancel,
}
