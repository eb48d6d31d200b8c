using Runtime.Inference;
using Runtime.Scheduling;
using Runtime.Tensors;

namespace Runtime.Models;

/// <summary>Makes a model's responses of what its executions came to, and counts them.</summary>
internal sealed class ModelResponses(Model model, IReadOnlyDictionary<string, string[]> labels)
{
    public InferenceResponse Refuse(InferenceRequest request, InferenceError error, FailureReason reason)
    {
        CountFailure(request, reason);
        model.Report(error);
        return new InferenceResponse(model.Name, model.Version, request.Id, error);
    }

    public InferenceResponse Respond(InferenceRequest request, PendingResult result, in RequestTimes times, int rows, CacheMiss? miss)
    {
        if (result.Error is not null)
        {
            return Refuse(request, result.Error, result.Reason);
        }

        var response = Shape(request, result.Outputs!);
        if (response.Error is not null)
        {
            CountFailure(request, FailureReason.Other);
            return response;
        }

        if (request.Probe is not null)
        {
            return response;
        }

        if (model.Config.IsEnsemble)
        {
            model.Statistics.RecordExecution(rows, times);
        }

        model.Statistics.RecordSuccess(times, rows, request.Inputs.ByteCount);
        if (miss is not null)
        {
            model.Cache!.Store(miss, response);
        }

        return response;
    }

    /// <summary>The response that the request asked for: its outputs in the configuration's order and shape, classified where it wants classes.</summary>
    public InferenceResponse Shape(InferenceRequest request, TensorSet outputs)
    {
        try
        {
            var parameters = outputs.Parameters;
            var response = new InferenceResponse(model.Name, model.Version, request.Id, ResponseOutputs.Select(outputs, request, model.Config, labels)) { Parameters = parameters };
            request.Timeline?.AddResponse();
            return response;
        }
        catch (InferenceException exception)
        {
            outputs.Dispose();
            model.Report(exception.Error);
            return new InferenceResponse(model.Name, model.Version, request.Id, exception.Error);
        }
    }

    private void CountFailure(InferenceRequest request, FailureReason reason)
    {
        if (request.Probe is null)
        {
            model.Statistics.RecordFailure(request.ArrivalTimestamp, reason);
        }
    }
}
