using System.Runtime.CompilerServices;
using Runtime.Functions.Conversion;
using Runtime.Inference;
using Runtime.Models;

namespace Runtime.Functions;

/// <summary>Calls other models of the host without leaving the process. Failures are <see cref="FunctionException"/>s with the model's own message. Thread-safe.</summary>
public sealed class ModelCalls
{
    private readonly string _model;
    private readonly FunctionServices _services;

    internal ModelCalls(string model, FunctionServices services) => (_model, _services) = (model, services);

    /// <summary>Whether a model can be called now.</summary>
    public bool IsReady(string model) => _services.Models()?.IsModelReady(model, "", out _) ?? false;

    /// <summary>One answer of a model. Inputs are given as a function gives outputs; a value without the batch dimension of a model that batches gets one.</summary>
    /// <param name="model">The model's name.</param>
    /// <param name="inputs">Its inputs.</param>
    /// <param name="version">Its version; empty for the latest.</param>
    /// <param name="cancellation">Gives up; without one, the call ends with the request that the caller answers.</param>
    public async ValueTask<ModelOutputs> InferAsync(string model, Outputs inputs, string version = "", CancellationToken cancellation = default)
    {
        var current = FunctionRequest.Current;
        var call = Open(model, version, inputs, current);
        try
        {
            if (!call.Model.AnswersOnce)
            {
                throw new FunctionException($"function '{_model}' must stream from model '{model}', which is decoupled", ErrorCode.Unsupported);
            }

            var token = cancellation.CanBeCanceled ? cancellation : current?.Cancellation ?? default;
            var response = await call.Model.InferAsync(call.Request, token).ConfigureAwait(false);
            Check(response, token);
            return new ModelOutputs(response, call, current);
        }
        catch
        {
            call.Dispose();
            throw;
        }
    }

    /// <summary>The answers of a model, one after the other; each is disposed when the next is asked for.</summary>
    /// <inheritdoc cref="InferAsync"/>
    public async IAsyncEnumerable<ModelOutputs> StreamAsync(string model, Outputs inputs, string version = "", [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        var current = FunctionRequest.Current;
        using var call = Open(model, version, inputs, current);
        var token = cancellation.CanBeCanceled ? cancellation : current?.Cancellation ?? default;
        await foreach (var response in call.Model.StreamAsync(call.Request, token).ConfigureAwait(false))
        {
            Check(response, token);
            using var outputs = new ModelOutputs(response, null, current);
            yield return outputs;
        }
    }

    private ModelCall Open(string model, string version, Outputs inputs, FunctionRequest? current)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(inputs);
        var callers = current?.Callers ?? [_model];
        if (callers.Contains(model))
        {
            throw new FunctionException($"model '{model}' cannot be called while it waits for the answer itself: {string.Join(" > ", callers)} > {model}", ErrorCode.Unsupported);
        }

        var models = _services.Models() ?? throw new FunctionException($"function '{_model}' runs in a host that lets it call no other models", ErrorCode.Unsupported);
        if (models.TryAcquire(model, version, out var lease) is { } missing)
        {
            throw new FunctionException($"function '{_model}' needs model '{model}', which is not to be had: {missing.Message}", ErrorCode.Unavailable);
        }

        return Begin(lease, inputs, callers, current);
    }

    private ModelCall Begin(ModelLease lease, Outputs inputs, IReadOnlyList<string> callers, FunctionRequest? current)
    {
        var request = new InferenceRequest { Id = current?.Id ?? "", Callers = callers, Context = Context(current) };
        ModelSlot slot = default;
        try
        {
            if (lease.Model.TryEnter(out slot) is { } busy)
            {
                throw new FunctionException(busy.Message, busy.Code);
            }

            foreach (var (name, value) in inputs)
            {
                AddInput(request, lease.Model.Config, name, value);
            }

            return new ModelCall(request, lease, slot);
        }
        catch
        {
            new ModelCall(request, lease, slot).Dispose();
            throw;
        }
    }

    /// <summary>The platform's request is the same, but its progress is the caller's to tell.</summary>
    private static RequestContext? Context(FunctionRequest? current) => current?.Platform is { } platform ? platform with { Progress = null } : null;

    private void AddInput(InferenceRequest request, ModelConfig config, string name, object? value)
    {
        try
        {
            var tensor = OutputValue.Convert(value);
            var declared = config.Inputs.FirstOrDefault(input => input.Name == name);
            OutputTensors.Add(request.Inputs, name, tensor, config.IsBatching && declared?.Dims.Length == tensor.Shape.Count);
        }
        catch (ArgumentException exception)
        {
            throw new FunctionException($"function '{_model}' gave model '{config.Name}' an input '{name}' that {exception.Message}", ErrorCode.Internal, exception);
        }
    }

    private static void Check(InferenceResponse response, CancellationToken cancellation)
    {
        if (response.Error is not { } error)
        {
            return;
        }

        response.Dispose();
        if (error.Code == ErrorCode.Cancelled)
        {
            cancellation.ThrowIfCancellationRequested();
        }

        throw new FunctionException(error.Naming(response.ModelName).Message, error.Code);
    }
}
