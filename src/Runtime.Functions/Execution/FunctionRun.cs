using Runtime.Functions.Conversion;
using Runtime.Inference;
using Runtime.Models;
using Runtime.Tensors;

namespace Runtime.Functions.Execution;

/// <summary>An object of a function from its first request to its disposal, which waits for the streams that still use it.</summary>
internal sealed class FunctionRun(Function function, ModelConfig config, FunctionServices services, FunctionFailures failures) : IDisposable
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);

    private readonly TaskCompletionSource _idle = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _references = 1;

    public Function Function => function;

    public ModelConfig Config => config;

    public FunctionFailures Failures => failures;

    public OutputTensors Outputs { get; } = new(config);

    public FunctionRequest Request(InferenceRequest request, CancellationToken cancellation) => new(request, function.Context, cancellation);

    /// <summary>How many rows a request has.</summary>
    public int RowsOf(TensorSet inputs) => config.IsBatching && inputs.Count > 0 ? (int)inputs[0].Shape[0] : 1;

    /// <summary>A row of a request's inputs.</summary>
    public Inputs Row(TensorSet inputs, int row, FunctionRequest request) => new(inputs, config.IsBatching ? row : null, request);

    /// <summary>Holds the function until <see cref="Leave"/>.</summary>
    public void Enter() => Interlocked.Increment(ref _references);

    public void Leave()
    {
        if (Interlocked.Decrement(ref _references) == 0)
        {
            _idle.SetResult();
        }
    }

    /// <summary>Waits for the streams, but not for ever: with one that hangs, the function is disposed when it returns.</summary>
    public void Dispose()
    {
        Leave();
        if (EndsInTime(_idle.Task, services.Time))
        {
            Dispose(function, failures, services.Time);
            return;
        }

        failures.LogHang(nameof(Function.StreamAsync));
        _idle.Task.ContinueWith(_ => Dispose(function, failures, services.Time), TaskScheduler.Default);
    }

    /// <summary>Disposes a function, whatever it does meanwhile.</summary>
    public static void Dispose(Function function, FunctionFailures failures, TimeProvider time)
    {
        var disposal = Task.Run(async () =>
        {
            try
            {
                await function.DisposeAsync().ConfigureAwait(false);
            }
            catch (Exception exception)
            {
                failures.Log(exception, nameof(Function.DisposeAsync));
            }
        });
        if (!EndsInTime(disposal, time))
        {
            failures.LogHang(nameof(Function.DisposeAsync));
        }
    }

    private static bool EndsInTime(Task task, TimeProvider time)
    {
        try
        {
            task.WaitAsync(Grace, time).GetAwaiter().GetResult();
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }
}
