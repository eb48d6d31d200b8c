using System.Threading.Tasks.Sources;
using Runtime.Inference;
using Runtime.Models;
using Runtime.Tensors;

namespace Runtime.Scheduling;

/// <summary>
/// A request between its door and an instance: a node of the queue's lists and the promise of its outputs. Completed
/// exactly once, by whoever takes it out of the queue; the awaiting side continues on the thread pool, and on the completing
/// thread only where the request allows it.
/// </summary>
internal sealed class PendingRequest : IValueTaskSource<PendingResult>
{
    private ManualResetValueTaskSourceCore<PendingResult> _source = new() { RunContinuationsAsynchronously = true };

    public PendingRequest(InferenceRequest request, int rows, CancellationToken cancellation)
    {
        (Request, Rows, Cancellation) = (request, rows, cancellation);
        Times.Arrival = request.ArrivalTimestamp;
    }

    public InferenceRequest Request { get; }

    public TensorSet Inputs => Request.Inputs;

    /// <summary>How much of a batch it takes: the first dimension of its inputs, 1 for a model that does not batch.</summary>
    public int Rows { get; }

    public CancellationToken Cancellation { get; }

    /// <summary>How the model's requests are padded; null where they are not.</summary>
    public Padding? Padding { get; init; }

    /// <summary>Whether it shares batches with requests of any shape, since an asynchronous instance gets each by itself.</summary>
    public bool MixesShapes { get; init; }

    /// <summary>Written by the queue and the instance, read by the awaiting side afterwards.</summary>
    public RequestTimes Times;

    /// <summary>The sequence it belongs to, once its scheduler has let it in.</summary>
    public Sequence? Sequence { get; set; }

    // The queue's: guarded by its lock.
    /// <summary>When it entered, which is later than <see cref="RequestTimes.Queued"/> where it waited behind its sequence before.</summary>
    internal long Entered;
    internal PendingList? List;
    internal PendingRequest? Next;
    internal PendingRequest? Previous;
    internal ITimer? Timeout;

    /// <summary>The execution of several that it is a member of.</summary>
    internal volatile BatchRun? Run;

    // The worker's: guarded by its run's lock.
    internal bool IsAnswered;

    // Of a model that preserves order: guarded by the order's lock once the queue has let the request in.
    internal OrderedRelease? Order;
    internal LinkedListNode<PendingRequest>? Place;

    /// <summary>What waits for its turn to be released; written by whoever owns the request then.</summary>
    internal PendingResult? Answer;

    public ValueTask<PendingResult> Completion => new(this, _source.Version);

    public void Complete(TensorSet outputs) => Finish(new PendingResult(outputs, null, default));

    public void Fail(InferenceError error, FailureReason reason) => Finish(new PendingResult(null, error, reason));

    public void Cancel(string modelName)
        => Fail(new InferenceError(ErrorCode.Cancelled, $"{Request.Prefix}request to model '{modelName}' was cancelled"), FailureReason.Canceled);

    /// <summary>Hands the answer to the awaiting side, which goes on before this returns where it is inline.</summary>
    internal void Release(in PendingResult answer, bool inline)
    {
        _source.RunContinuationsAsynchronously = !inline;
        _source.SetResult(answer);
    }

    /// <summary>Whether both can be rows of one batch: clients' requests of the same inputs with the same datatypes and, past the first, the same dimensions, or such as padding makes the same.</summary>
    public bool Batches(PendingRequest other)
    {
        if (Request.Probe is not null || other.Request.Probe is not null)
        {
            return false;
        }

        if (MixesShapes)
        {
            return true;
        }

        if (Inputs.Count != other.Inputs.Count)
        {
            return false;
        }

        for (var i = 0; i < Inputs.Count; i++)
        {
            var (mine, theirs) = (Inputs[i], other.Inputs[i]);
            if (mine.Name != theirs.Name || mine.Type != theirs.Type || !(Padding?.Batches(mine, theirs) ?? mine.Shape.AsSpan(1).SequenceEqual(theirs.Shape.AsSpan(1))))
            {
                return false;
            }
        }

        return true;
    }

    private void Finish(in PendingResult answer)
    {
        if (Order is null)
        {
            _source.SetResult(answer);
        }
        else
        {
            Order.Answer(this, answer);
        }
    }

    PendingResult IValueTaskSource<PendingResult>.GetResult(short token) => _source.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<PendingResult>.GetStatus(short token) => _source.GetStatus(token);

    void IValueTaskSource<PendingResult>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
        => _source.OnCompleted(continuation, state, token, flags);
}

/// <summary>What became of a queued request: outputs that the receiver disposes, or an error and the reason to count it under.</summary>
internal readonly record struct PendingResult(TensorSet? Outputs, InferenceError? Error, FailureReason Reason);
