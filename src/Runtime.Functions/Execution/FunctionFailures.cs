using System.Reflection;
using Microsoft.Extensions.Logging;
using Runtime.Inference;
using Runtime.Models;

namespace Runtime.Functions.Execution;

/// <summary>Decides what a client learns of an exception: its author's message, or no more than its kind while the log gets all of it.</summary>
internal sealed class FunctionFailures(ModelConfig config, ILogger logger)
{
    /// <summary>Lets clients see the messages of all exceptions.</summary>
    public const string DetailsParameter = "error_details";

    private readonly bool _tellsDetails = config.Parameters.TryGetValue(DetailsParameter, out var value) && value.Equals("true", StringComparison.OrdinalIgnoreCase);

    public InferenceError Of(Exception exception, CancellationToken cancellation)
    {
        switch (exception)
        {
            case FunctionException meant:
                return new InferenceError(meant.Code, meant.Message);
            case InferenceException failure:
                return failure.Error;
            case OperationCanceledException when cancellation.IsCancellationRequested:
                return new InferenceError(ErrorCode.Cancelled, $"request to model '{config.Name}' was cancelled");
        }

        logger.LogError(exception, "Function '{Name}' failed", config.Name);
        var name = exception.GetType().Name;
        return InferenceError.Internal(_tellsDetails
            ? $"function '{config.Name}' failed with {name}: {exception.Message}"
            : $"function '{config.Name}' failed with {name}; the host's log has the details");
    }

    /// <summary>Logs what went wrong where no client waits for it.</summary>
    public void Log(Exception exception, string where) => logger.LogError(exception, "Function '{Name}' failed in {Where}", config.Name, where);

    /// <summary>Logs what is still running when it should not.</summary>
    public void LogHang(string where) => logger.LogWarning("Function '{Name}' does not return from {Where}; it is left to itself", config.Name, where);

    /// <summary>Why a model does not load: its operator may know all of it.</summary>
    public static InferenceException Load(string name, string where, Exception exception)
    {
        var cause = exception is TargetInvocationException { InnerException: { } inner } ? inner : exception;
        var code = (cause as FunctionException)?.Code ?? ErrorCode.Internal;
        return new InferenceException(new InferenceError(code, $"function '{name}' failed in {where} with {cause.GetType().Name}: {cause.Message}"), cause);
    }
}
