using Runtime.Backends;
using Runtime.Inference;
using Runtime.Tensors;

namespace Runtime.Functions.Execution;

/// <summary>Answers batches of requests: with one call of the batch form where the model batches and the function has it, else with a call for each row.</summary>
internal sealed class FunctionCalls(FunctionRun run, FunctionForm form)
{
    private readonly bool _takesBatches = form.Batches && (run.Config.IsBatching || !form.Infers);

    public async ValueTask<AsyncResult[]> ExecuteAsync(IReadOnlyList<AsyncRequest> batch, CancellationToken cancellation)
    {
        if (_takesBatches)
        {
            return await BatchAsync(batch, cancellation).ConfigureAwait(false);
        }

        if (batch.Count == 1)
        {
            return [await AnswerAsync(batch[0]).ConfigureAwait(false)];
        }

        return await Task.WhenAll(batch.Select(request => AnswerAsync(request).AsTask())).ConfigureAwait(false);
    }

    private async ValueTask<AsyncResult> AnswerAsync(AsyncRequest asked)
    {
        var request = run.Request(asked.Request, asked.Cancellation);
        FunctionRequest.Current = request;
        var rows = Rows(asked.Inputs, request);
        try
        {
            if (rows.Length == 1)
            {
                return new AsyncResult(run.Outputs.Write(await run.Function.InferAsync(rows[0], request).ConfigureAwait(false)), null);
            }

            var outputs = await Task.WhenAll(rows.Select(row => InferAsync(row, request))).ConfigureAwait(false);
            return new AsyncResult(run.Outputs.Write(outputs, 0, outputs.Length), null);
        }
        catch (Exception exception)
        {
            return new AsyncResult(null, run.Failures.Of(exception, asked.Cancellation));
        }
        finally
        {
            Array.ForEach(rows, static row => row.Release());
            request.Release();
        }
    }

    private async Task<Outputs> InferAsync(Inputs row, FunctionRequest request) => await run.Function.InferAsync(row, request).ConfigureAwait(false);

    private async ValueTask<AsyncResult[]> BatchAsync(IReadOnlyList<AsyncRequest> batch, CancellationToken cancellation)
    {
        var whole = run.Request(batch[0].Request, cancellation);
        whole.AddCallers(batch.Skip(1).SelectMany(member => member.Request.Callers));
        FunctionRequest.Current = whole;
        var requests = batch.Select(member => run.Request(member.Request, member.Cancellation)).ToArray();
        var rows = batch.Select((member, i) => Rows(member.Inputs, requests[i])).ToArray();
        try
        {
            Inputs[] flat = [.. rows.SelectMany(static member => member)];
            var outputs = await run.Function.InferBatchAsync(flat, cancellation).ConfigureAwait(false);
            return outputs is not null && outputs.Count == flat.Length
                ? Split(rows, outputs, batch)
                : throw new InferenceException(
                    ErrorCode.Internal,
                    $"function '{run.Config.Name}' returned {(outputs is null ? "null" : $"{outputs.Count} outputs")} for a batch of {flat.Length} inputs; it must return one for each, in their order");
        }
        catch (Exception exception)
        {
            var error = run.Failures.Of(exception, cancellation);
            return [.. batch.Select(_ => new AsyncResult(null, error))];
        }
        finally
        {
            Array.ForEach(rows, static member => Array.ForEach(member, static row => row.Release()));
            Array.ForEach(requests, static request => request.Release());
            whole.Release();
        }
    }

    private AsyncResult[] Split(Inputs[][] rows, IReadOnlyList<Outputs> outputs, IReadOnlyList<AsyncRequest> batch)
    {
        var results = new AsyncResult[rows.Length];
        var first = 0;
        for (var i = 0; i < rows.Length; i++)
        {
            try
            {
                results[i] = new AsyncResult(run.Outputs.Write(outputs, first, rows[i].Length), null);
            }
            catch (Exception exception)
            {
                results[i] = new AsyncResult(null, run.Failures.Of(exception, batch[i].Cancellation));
            }

            first += rows[i].Length;
        }

        return results;
    }

    private Inputs[] Rows(TensorSet inputs, FunctionRequest request)
    {
        var rows = new Inputs[run.RowsOf(inputs)];
        for (var i = 0; i < rows.Length; i++)
        {
            rows[i] = run.Row(inputs, i, request);
        }

        return rows;
    }
}
