using System.Diagnostics;
using System.Runtime.CompilerServices;
using Runtime.Backends;
using Runtime.Inference;
using Runtime.Scheduling;
using Runtime.Tensors;

namespace Runtime.Models;

/// <summary>One request's way through an instance that streams: its responses, and what is counted of them.</summary>
internal sealed class ModelStream(Model model, ModelResponses responses, IStreamingInstance instance, TimeProvider time)
{
    private RequestTimes _times;

    /// <summary>The responses; a failure is the last. A reader that leaves before counts as one that cancelled.</summary>
    public async IAsyncEnumerable<InferenceResponse> RunAsync(InferenceRequest request, int rows, [EnumeratorCancellation] CancellationToken cancellation)
    {
        using var deadline = RequestDeadline.Start(model.Config, time, ref cancellation);
        _times = new RequestTimes { Arrival = request.ArrivalTimestamp, Queued = Stopwatch.GetTimestamp() };
        await using var sets = instance.ExecuteAsync(request, cancellation).GetAsyncEnumerator(cancellation);
        _times.ComputeStart = _times.InferStart = Stopwatch.GetTimestamp();
        request.Timeline?.Record(_times, rows);
        var isCounted = false;
        try
        {
            for (var position = 0; ; position++)
            {
                var (outputs, failure) = await NextAsync(sets, request).ConfigureAwait(false);
                Count(request, position, outputs, failure);
                if (failure is { } value)
                {
                    isCounted = true;
                    request.Timeline?.Record(_times, rows);
                    var late = RequestDeadline.InTime(new PendingResult(null, value.Error, value.Reason), request, model.Config, deadline);
                    yield return responses.Refuse(request, late.Error!, late.Reason);
                    yield break;
                }

                if (outputs is null)
                {
                    break;
                }

                yield return responses.Shape(request, outputs);
            }

            isCounted = true;
            Succeed(request, rows);
        }
        finally
        {
            if (!isCounted)
            {
                model.Statistics.RecordFailure(request.ArrivalTimestamp, FailureReason.Canceled);
            }
        }
    }

    private void Count(InferenceRequest request, int position, TensorSet? outputs, (InferenceError Error, FailureReason Reason)? failure)
    {
        if (position == 0 && outputs is not null)
        {
            model.Statistics.RecordFirstResponse(request.ArrivalTimestamp);
        }

        model.Statistics.RecordResponse(position, _times.ComputeStart, failure is not null ? ResponseOutcome.Fail : outputs is null ? ResponseOutcome.Empty : ResponseOutcome.Success);
    }

    private void Succeed(InferenceRequest request, int rows)
    {
        _times.InferEnd = _times.ComputeEnd = Stopwatch.GetTimestamp();
        request.Timeline?.Record(_times, rows);
        model.Statistics.RecordExecution(rows, _times);
        model.Statistics.RecordSuccess(_times, rows, request.Inputs.ByteCount);
    }

    private static async ValueTask<(TensorSet? Outputs, (InferenceError Error, FailureReason Reason)? Failure)> NextAsync(IAsyncEnumerator<TensorSet> sets, InferenceRequest request)
    {
        try
        {
            return (await sets.MoveNextAsync().ConfigureAwait(false) ? sets.Current : null, null);
        }
        catch (OperationCanceledException)
        {
            return (null, (new InferenceError(ErrorCode.Cancelled, $"{request.Prefix}request was cancelled"), FailureReason.Canceled));
        }
        catch (InferenceException exception)
        {
            return (null, (exception.Error, FailureReason.Backend));
        }
        catch (Exception exception)
        {
            return (null, (InferenceError.Internal($"{request.Prefix}execution failed: {exception.Message}"), FailureReason.Backend));
        }
    }
}
