using System.Runtime.CompilerServices;
using Runtime.Inference;
using Runtime.Tensors;

namespace Runtime.Functions.Execution;

/// <summary>
/// One request's stream. The function's code runs on the thread pool, one step for each piece that the client asks for. When
/// the client goes, the stream ends at once; a step that goes on regardless is left to itself, and cleaned up after when it returns.
/// </summary>
internal sealed class FunctionStream
{
    private readonly FunctionRun _run;
    private readonly TensorSet _shared;
    private readonly Inputs _inputs;
    private readonly FunctionRequest _request;
    private IAsyncEnumerator<Outputs>? _pieces;

    private FunctionStream(FunctionRun run, InferenceRequest request, CancellationToken cancellation)
    {
        _run = run;
        _run.Enter();
        _request = run.Request(request, cancellation);
        _shared = request.Inputs.Share();
        _inputs = run.Row(_shared, 0, _request);
    }

    /// <summary>The pieces of the answer; each is the caller's to dispose.</summary>
    /// <exception cref="InferenceException">The function failed.</exception>
    public static async IAsyncEnumerable<TensorSet> ExecuteAsync(FunctionRun run, InferenceRequest request, [EnumeratorCancellation] CancellationToken cancellation)
    {
        if (run.RowsOf(request.Inputs) is var rows and > 1)
        {
            throw new InferenceException(ErrorCode.InvalidArgument, $"model '{run.Config.Name}' streams one row at a time, got a batch of {rows}");
        }

        var stream = new FunctionStream(run, request, cancellation);
        Task<TensorSet?>? step = null;
        var isOver = false;
        try
        {
            while (true)
            {
                step = Task.Run(stream.NextAsync, CancellationToken.None);
                TensorSet? piece;
                try
                {
                    piece = await step.WaitAsync(cancellation).ConfigureAwait(false);
                }
                catch (Exception exception)
                {
                    isOver = step.IsCompleted;
                    throw new InferenceException(run.Failures.Of(exception, cancellation));
                }

                step = null;
                isOver = piece is null;
                if (piece is null)
                {
                    break;
                }

                yield return piece;
            }
        }
        finally
        {
            var end = stream.EndAsync(step, isLate: !isOver);
            if (isOver)
            {
                await end.ConfigureAwait(false);
            }
        }
    }

    private async Task<TensorSet?> NextAsync()
    {
        FunctionRequest.Current = _request;
        _pieces ??= _run.Function.StreamAsync(_inputs, _request).GetAsyncEnumerator(_request.Cancellation);
        return await _pieces.MoveNextAsync().ConfigureAwait(false) ? _run.Outputs.Write(_pieces.Current) : null;
    }

    /// <summary>Ends what the function has begun, once its last step has returned.</summary>
    private async Task EndAsync(Task<TensorSet?>? step, bool isLate)
    {
        if (isLate)
        {
            await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        }

        await DropAsync(step).ConfigureAwait(false);
        try
        {
            FunctionRequest.Current = _request;
            if (_pieces is not null)
            {
                await _pieces.DisposeAsync().ConfigureAwait(false);
            }
        }
        catch (Exception exception)
        {
            _run.Failures.Log(exception, "the end of a stream");
        }
        finally
        {
            _inputs.Release();
            _request.Release();
            _shared.Dispose();
            _run.Leave();
        }
    }

    private static async Task DropAsync(Task<TensorSet?>? step)
    {
        if (step is null)
        {
            return;
        }

        await ((Task)step).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (step.IsCompletedSuccessfully)
        {
            (await step.ConfigureAwait(false))?.Dispose();
        }
    }
}
