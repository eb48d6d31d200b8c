using System.Buffers;
using Runtime.Host.Lifecycle;
using Runtime.Host.SharedMemory;
using Runtime.Host.Telemetry;
using Runtime.Inference;
using Runtime.Models;
using Runtime.Tensors;

namespace Runtime.Host.Grpc;

/// <summary>Where inference finds its model: <see cref="ModelRepository.TryAcquire"/>.</summary>
internal delegate InferenceError? AcquireModel(ReadOnlySpan<char> name, ReadOnlySpan<char> version, out ModelLease lease);

/// <summary>One inference between its message and its response: the model's lease, the request, and where outputs go. Disposed after the response is written.</summary>
internal sealed class InferCall(ModelLease lease, InferenceRequest request, List<OutputPlacement>? placements, (AdmissionTicket Ticket, ModelSlot Slot) admitted) : IDisposable
{
    public Model Model => lease.Model;

    public InferenceRequest Request => request;

    public List<OutputPlacement>? Placements => placements;

    public void Dispose()
    {
        request.Dispose();
        admitted.Slot.Dispose();
        lease.Dispose();
        admitted.Ticket.Dispose();
    }
}

/// <summary>Makes inference calls out of messages, for both inference methods, and puts outputs into shared memory.</summary>
internal sealed class InferCalls(AcquireModel acquire, SharedMemoryRegions regions, Admission admission)
{
    private readonly InferRequestBuilder _builder = new(regions);

    /// <summary>Cancelled when the server takes no more requests.</summary>
    public CancellationToken Draining => admission.State.Draining;

    /// <summary>
    /// Reads the call's next message. One that comes in pieces has its place among those in flight from its first bytes on,
    /// so that a full server or model need not read the rest, and what is read is counted.
    /// </summary>
    /// <returns>False when the client has sent its last.</returns>
    /// <exception cref="InferenceException">There is too much in flight or no such model; the rest of the message is not read.</exception>
    public async ValueTask<bool> ReadAsync(GrpcCall call, CancellationToken cancellation)
    {
        for (var isModelKnown = false; ;)
        {
            var state = await call.Reader.ReadMoreAsync(cancellation);
            if (state != FrameState.Begun)
            {
                return state == FrameState.Whole;
            }

            if (call.Arriving is null)
            {
                Arrive(call);
            }

            isModelKnown = isModelKnown || CheckModel(call);
        }
    }

    /// <summary>Looks at the model of a message that is coming in.</summary>
    /// <returns>Whether it is known already.</returns>
    private bool CheckModel(GrpcCall call)
    {
        if (!InferRequestDecoder.TryReadHead(call.Reader.Message, out var head))
        {
            return false;
        }

        var error = acquire(head.ModelName, head.ModelVersion, out var lease);
        using (lease)
        {
            error ??= lease.Model.RefusalOfNext()?.Naming(head.ModelName);
        }

        if (error is not null)
        {
            call.LeavePlace();
            throw new InferenceException(error);
        }

        return true;
    }

    private void Arrive(GrpcCall call)
    {
        if (admission.TryEnter(call.Reader.Length, out var ticket) is { } refusal)
        {
            throw new InferenceException(refusal);
        }

        call.Arrive(ticket, call.Reader.Length);
    }

    /// <summary>Lets the request in, decodes it, leases the model and builds the request; the caller disposes the result. The frame's memory may go afterwards.</summary>
    /// <param name="frame">The message's bytes.</param>
    /// <param name="message">The decoded message, once it is.</param>
    /// <param name="metadata">The call that it came in, whose metadata may be forwarded to the model.</param>
    /// <param name="allowDecoupled">Whether the method can give more than one response.</param>
    /// <param name="record">What is noted of the request; null where it is not observed.</param>
    /// <exception cref="InferenceException">There is too much in flight or no such model, or the message is no valid request.</exception>
    public InferCall Start(ReadOnlySequence<byte> frame, ref InferMessage message, GrpcCall metadata, bool allowDecoupled, RequestRecord? record = null)
    {
        if (!metadata.TryTakePlace(frame.Length, out var ticket) && admission.TryEnter(frame.Length, out ticket) is { } refusal)
        {
            InferRequestDecoder.TryReadHead(frame, out var head);
            message = new InferMessage { ModelName = head.ModelName, ModelVersion = head.ModelVersion, Id = head.Id };
            record?.Name(message.Id, message.ModelName, message.ModelVersion);
            throw new InferenceException(refusal);
        }

        try
        {
            message = InferRequestDecoder.Decode(frame);
            record?.Name(message.Id, message.ModelName, message.ModelVersion);
            return acquire(message.ModelName, message.ModelVersion, out var lease) is { } error
                ? throw new InferenceException(error)
                : Start(message, lease, ticket, metadata, allowDecoupled);
        }
        catch
        {
            ticket.Dispose();
            throw;
        }
    }

    private InferCall Start(InferMessage message, ModelLease lease, AdmissionTicket ticket, GrpcCall metadata, bool allowDecoupled)
    {
        ModelSlot slot = default;
        try
        {
            if (lease.Model.TryEnter(out slot) is { } busy)
            {
                throw new InferenceException(busy);
            }

            if (!allowDecoupled && lease.Model.Config.IsDecoupled)
            {
                throw new InferenceException(ErrorCode.Unsupported, "ModelInfer RPC doesn't support models with decoupled transaction policy");
            }

            var request = _builder.Build(message, lease.Model, out var placements, metadata.Nvcf);
            metadata.Settings.Forwarding.ApplyMetadata(metadata.Context.Request.Headers, request);
            return new InferCall(lease, request, placements, (ticket, slot));
        }
        catch (InferenceException exception)
        {
            var named = exception.Error.Naming(lease.Model.Name);
            slot.Dispose();
            lease.Dispose();
            throw new InferenceException(named, exception);
        }
        catch
        {
            slot.Dispose();
            lease.Dispose();
            throw;
        }
    }

    /// <summary>Copies the outputs that have a placement into their regions; or says why that cannot be.</summary>
    public InferenceError? TryPlace(InferCall call, InferenceResponse response)
    {
        try
        {
            foreach (var placement in call.Placements ?? [])
            {
                if (response.Outputs.Find(placement.Output) is { } tensor && TryPlace(placement, tensor) is { } error)
                {
                    return error;
                }
            }

            return null;
        }
        catch (InferenceException exception) // a GPU refused
        {
            call.Model.Report(exception.Error);
            return exception.Error;
        }
    }

    private InferenceError? TryPlace(OutputPlacement placement, Tensor tensor)
    {
        var size = (ulong)tensor.Data.Length;
        if (size > placement.ByteSize)
        {
            return InferenceError.Internal(
                $"shared memory size specified with the request for output '{placement.Output}' ({placement.ByteSize} bytes) should be at least {size} bytes to hold the results");
        }

        if (regions.TryMap(placement.Region, placement.Offset, size, out var lease) is { } error)
        {
            return error;
        }

        using (lease)
        {
            lease!.Write(tensor.Data);
            return null;
        }
    }
}
