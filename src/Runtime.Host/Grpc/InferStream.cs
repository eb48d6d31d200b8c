using System.Buffers;
using System.IO.Compression;
using System.Runtime.ExceptionServices;
using Runtime.Host.Lifecycle;
using Runtime.Host.Telemetry;
using Runtime.Inference;

namespace Runtime.Host.Grpc;

/// <summary>One stream: a reader, the requests in progress, and one writer at a time.</summary>
internal sealed class InferStream : IDisposable
{
    /// <summary>So many requests of one stream may be in progress; the next is read when one is done.</summary>
    private const int MaxInProgress = 1024;

    private readonly GrpcCall _call;
    private readonly InferCalls _calls;
    private readonly bool _errorsEndStream;
    private readonly CompressionLevel? _compression;
    private readonly CancellationTokenSource _stop;
    private readonly CancellationTokenSource _stopReading;
    private readonly SemaphoreSlim _writer = new(1);
    private readonly SemaphoreSlim _room = new(MaxInProgress);
    private readonly TaskCompletionSource _idle = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _lastTurn = Task.CompletedTask;
    private GrpcStatus? _failure;
    private ExceptionDispatchInfo? _fault;
    private int _inProgress = 1;

    public InferStream(GrpcCall call, InferCalls calls, bool errorsEndStream)
    {
        (_call, _calls, _errorsEndStream) = (call, calls, errorsEndStream);
        _compression = call.StartCompression();
        _stop = CancellationTokenSource.CreateLinkedTokenSource(call.Cancellation);
        _stopReading = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token, calls.Draining);
    }

    public async ValueTask<GrpcStatus> RunAsync()
    {
        var ending = GrpcStatus.Ok;
        try
        {
            while (await ServeNextAsync())
            {
            }
        }
        catch (OperationCanceledException) when (_failure is not null || _fault is not null)
        {
            // A request ended the stream; why follows.
        }
        catch (OperationCanceledException) when (!_stop.IsCancellationRequested)
        {
            // The server drains: what is in progress is answered, and nothing more is read.
            ending = GrpcErrors.Status(Admission.ShuttingDown);
        }
        catch
        {
            await _stop.CancelAsync();
            await IdleAsync();
            throw;
        }

        await IdleAsync();
        _call.Cancellation.ThrowIfCancellationRequested();
        (_failure is null ? _fault : null)?.Throw();

        return _failure ?? ending;
    }

    public void Dispose()
    {
        _stopReading.Dispose();
        _stop.Dispose();
        _writer.Dispose();
        _room.Dispose();
    }

    /// <summary>Starts the next request, or refuses it before it has come; false when the client has sent its last.</summary>
    private async ValueTask<bool> ServeNextAsync()
    {
        InferenceError? refusal = null;
        try
        {
            if (!await _calls.ReadAsync(_call, _stopReading.Token))
            {
                return false;
            }
        }
        catch (InferenceException exception)
        {
            refusal = exception.Error;
        }

        await _room.WaitAsync(_stop.Token);
        Interlocked.Increment(ref _inProgress);
        try
        {
            if (refusal is null)
            {
                await StartAsync(_call.Reader.Message);
                return true;
            }

            RefuseBegun(refusal);
        }
        catch
        {
            _room.Release();
            Leave();
            throw;
        }

        await _call.Reader.SkipAsync(_stopReading.Token);
        return true;
    }

    private Task IdleAsync()
    {
        Leave();
        return _idle.Task;
    }

    private void Leave()
    {
        if (Interlocked.Decrement(ref _inProgress) == 0)
        {
            _idle.SetResult();
        }
    }

    /// <summary>Starts a request; it is in its model's queue, in the order of the stream, when this ends.</summary>
    private async ValueTask StartAsync(ReadOnlySequence<byte> frame)
    {
        var message = new InferMessage();
        var record = _call.Settings.Observer.BeginStreamed(_call.Record, frame.Length);
        InferCall? infer = null;
        InferenceError? error = null;
        try
        {
            infer = _calls.Start(frame, ref message, _call, allowDecoupled: true, record);
            record?.Begin(infer.Request, infer.Model);
            await _call.FillAssetsAsync(_stop.Token);
        }
        catch (InferenceException exception)
        {
            infer?.Dispose();
            (infer, error) = (null, exception.Error);
        }
        catch
        {
            infer?.Dispose();
            throw;
        }

        if (infer?.Model.CanStream == true)
        {
            _ = FinishAsync(StreamAsync(infer, message.Flag(InferParameters.EmptyFinalResponse), record), record);
            return;
        }

        _lastTurn = infer is null
            ? FinishAsync(RefuseAsync(message.Id, error!, _lastTurn, record), record)
            : FinishAsync(InferAsync(infer, _lastTurn, record), record);
    }

    /// <summary>Answers a request that is still coming in.</summary>
    private void RefuseBegun(InferenceError error)
    {
        InferRequestDecoder.TryReadHead(_call.Reader.Message, out var head);
        var record = _call.Settings.Observer.BeginStreamed(_call.Record, _call.Reader.Length);
        record?.Name(head.Id, head.ModelName, head.ModelVersion);
        _lastTurn = FinishAsync(RefuseAsync(head.Id, error, _lastTurn, record), record);
    }

    private async Task FinishAsync(Task request, RequestRecord? record)
    {
        try
        {
            await request;
        }
        catch (Exception exception)
        {
            // What one request meets beside its own failure (no way to write, say) ends the stream for all.
            record?.Fail(exception.Message, ErrorCode.Cancelled);
            _fault ??= ExceptionDispatchInfo.Capture(exception);
            await _stop.CancelAsync();
        }
        finally
        {
            GrpcRecord.EndStreamed(record, _call);
            _room.Release();
            Leave();
        }
    }

    private async Task RefuseAsync(string id, InferenceError error, Task turn, RequestRecord? record)
    {
        await turn;
        await WriteErrorAsync(new InferReply { Id = id }, error, record);
    }

    private async Task InferAsync(InferCall infer, Task turn, RequestRecord? record)
    {
        using (infer)
        {
            using var response = await infer.Model.InferAsync(infer.Request, _stop.Token);
            await turn;
            await WriteResponseAsync(infer, response, isFinal: true, record);
        }
    }

    private async Task StreamAsync(InferCall infer, bool wantsEmptyFinal, RequestRecord? record)
    {
        using (infer)
        {
            await foreach (var response in infer.Model.StreamAsync(infer.Request, _stop.Token))
            {
                using (response)
                {
                    if (!await WriteResponseAsync(infer, response, isFinal: false, record))
                    {
                        return;
                    }
                }
            }

            if (wantsEmptyFinal)
            {
                await WriteAsync(new InferReply { ModelName = infer.Model.Name, Id = infer.Request.Id, IsFinal = true, StreamError = "" }, record);
            }
        }
    }

    /// <summary>False when the response was an error, and therefore the request's last.</summary>
    private async Task<bool> WriteResponseAsync(InferCall infer, InferenceResponse response, bool isFinal, RequestRecord? record)
    {
        if ((response.Error ?? _calls.TryPlace(infer, response)) is { } error)
        {
            await WriteErrorAsync(new InferReply { ModelName = infer.Model.Name, Id = infer.Request.Id, IsFinal = true }, error, record);
            return false;
        }

        await WriteAsync(InferReply.From(response, infer.Placements) with { IsFinal = isFinal, StreamError = "" }, record);
        return true;
    }

    private Task WriteErrorAsync(InferReply reply, InferenceError error, RequestRecord? record)
    {
        record?.Fail(error);
        if (_errorsEndStream)
        {
            Fail(GrpcErrors.Status(error));
            return Task.CompletedTask;
        }

        return WriteAsync(reply with { StreamError = error.Message }, record);
    }

    private async Task WriteAsync(InferReply reply, RequestRecord? record)
    {
        await _writer.WaitAsync(_stop.Token);
        try
        {
            var before = _call.Writer.BytesWritten;
            _stop.Token.ThrowIfCancellationRequested();
            _call.Nvcf?.Close(keepsFiles: true);
            await _call.Writer.WriteAsync(reply, _compression, _stop.Token);
            await _call.Writer.FlushAsync(_stop.Token);
            record?.BytesOut += _call.Writer.BytesWritten - before;
        }
        finally
        {
            _writer.Release();
        }
    }

    /// <summary>Ends the stream with a status, unless it ends already.</summary>
    private void Fail(GrpcStatus status)
    {
        lock (_writer)
        {
            _failure ??= status;
        }

        _stop.Cancel();
    }
}
