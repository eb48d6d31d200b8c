using Runtime.Inference;
using Runtime.Models;
using HostOptions = Runtime.Host.Options.HostOptions;

namespace Runtime.Host.Lifecycle;

/// <summary>Why the process, not a model, lets a request not in.</summary>
internal enum Refusal
{
    /// <summary>Too many requests are in flight.</summary>
    Requests,

    /// <summary>Their bodies have too many bytes.</summary>
    Bytes,

    /// <summary>The process ends.</summary>
    Draining,
}

/// <summary>Lets inference requests into the process before their bodies are read, and counts those that are in and those that are not let in.</summary>
internal sealed class Admission(HostOptions options, ServerState state)
{
    private readonly ConcurrencyLimit _requests = new(options.MaxRequestsInFlight);
    private readonly ConcurrencyLimit _bytes = new(options.MaxBodyBytesInFlight);
    private readonly long[] _refused = new long[Enum.GetValues<Refusal>().Length];
    private readonly TaskCompletionSource _idle = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public ServerState State => state;

    public long RequestsInFlight => _requests.InUse;

    public long BytesInFlight => _bytes.InUse;

    /// <summary>How many requests were refused for that reason.</summary>
    public long Refused(Refusal reason) => Volatile.Read(ref _refused[(int)reason]);

    /// <summary>Lets a request to a model in, or says why not. The caller disposes the ticket once when the request is over.</summary>
    /// <param name="model">Its model.</param>
    /// <param name="bytes">Its body's length, or the most that it may have.</param>
    /// <param name="ticket">What gives its places back.</param>
    public InferenceError? TryEnter(Model model, long bytes, out AdmissionTicket ticket)
    {
        if (TryEnter(bytes, out ticket) is { } refusal)
        {
            model.CountRefused();
            return refusal;
        }

        if (model.TryEnter(out var slot) is { } busy)
        {
            ticket.Dispose();
            ticket = default;
            return busy;
        }

        ticket = new AdmissionTicket(this, bytes, slot);
        return null;
    }

    /// <summary>Lets a request in whose model is not known yet.</summary>
    public InferenceError? TryEnter(long bytes, out AdmissionTicket ticket)
    {
        ticket = default;
        if (!_requests.TryTake())
        {
            return Exhausted(Refusal.Requests, $"the server already has {_requests.Limit} requests in flight, its most");
        }

        if (!_bytes.TryTake(bytes))
        {
            LeaveRequest();
            return Exhausted(Refusal.Bytes, $"the server already has {_bytes.InUse} of at most {_bytes.Limit} body bytes in flight, this request has {bytes}");
        }

        // Counted first and looked second, so that a drain either sees the request or refuses it.
        if (state.Draining.IsCancellationRequested)
        {
            Leave(bytes);
            Count(Refusal.Draining);
            return ShuttingDown;
        }

        ticket = new AdmissionTicket(this, bytes, default);
        return null;
    }

    public static InferenceError ShuttingDown => InferenceError.Unavailable("server is shutting down");

    /// <summary>Ends when no request is in any more; asked once draining has begun.</summary>
    public Task IdleAsync()
    {
        if (_requests.InUse == 0)
        {
            _idle.TrySetResult();
        }

        return _idle.Task;
    }

    internal void Leave(long bytes)
    {
        _bytes.Return(bytes);
        LeaveRequest();
    }

    private InferenceError Exhausted(Refusal reason, string message)
    {
        Count(reason);
        return new InferenceError(ErrorCode.ResourceExhausted, message);
    }

    private void Count(Refusal reason) => Interlocked.Increment(ref _refused[(int)reason]);

    private void LeaveRequest()
    {
        if (_requests.Return() == 0 && state.Draining.IsCancellationRequested)
        {
            _idle.TrySetResult();
        }
    }
}

/// <summary>A request's places among those in flight, of the process and of its model. Dispose it once.</summary>
internal readonly struct AdmissionTicket(Admission admission, long bytes, ModelSlot slot) : IDisposable
{
    public void Dispose()
    {
        slot.Dispose();
        admission?.Leave(bytes);
    }
}
