using Runtime.Host.SharedMemory;
using Runtime.Inference;
using Runtime.Models;

namespace Runtime.Host.Grpc;

/// <summary>Where inference finds its model: <see cref="ModelRepository.TryAcquire"/>.</summary>
internal delegate InferenceError? AcquireModel(ReadOnlySpan<char> name, ReadOnlySpan<char> version, out ModelLease lease);

/// <summary>One inference between its message and its response: the model's lease, the request, and where outputs go. Disposed after the response is written.</summary>
internal sealed class InferCall(ModelLease lease, InferenceRequest request, List<OutputPlacement>? placements) : IDisposable
{
    public Model Model => lease.Model;

    public InferenceRequest Request => request;

    public List<OutputPlacement>? Placements => placements;

    public void Dispose()
    {
        request.Dispose();
        lease.Dispose();
    }
}

/// <summary>Makes inference calls out of messages, for both inference methods, and puts outputs into shared memory.</summary>
internal sealed class InferCalls(AcquireModel acquire, SharedMemoryRegions regions)
{
    private readonly InferRequestBuilder _builder = new(regions);

    /// <summary>Leases the model and builds the request; the caller disposes the result. The message's memory may go afterwards.</summary>
    /// <param name="message">The decoded message.</param>
    /// <param name="metadata">The call whose metadata may be forwarded to the model.</param>
    /// <param name="allowDecoupled">Whether the method can give more than one response.</param>
    /// <exception cref="InferenceException">There is no such model, or the message is no valid request.</exception>
    public InferCall Start(InferMessage message, GrpcCall metadata, bool allowDecoupled)
    {
        if (acquire(message.ModelName, message.ModelVersion, out var lease) is { } unknown)
        {
            throw new InferenceException(unknown);
        }

        try
        {
            if (!allowDecoupled && lease.Model.Config.IsDecoupled)
            {
                throw new InferenceException(ErrorCode.Unsupported, "ModelInfer RPC doesn't support models with decoupled transaction policy");
            }

            var request = _builder.Build(message, lease.Model, out var placements);
            metadata.ForwardHeaders(request);
            return new InferCall(lease, request, placements);
        }
        catch (InferenceException exception)
        {
            var error = exception.Error.Naming(lease.Model.Name);
            lease.Dispose();
            throw new InferenceException(error, exception);
        }
        catch
        {
            lease.Dispose();
            throw;
        }
    }

    /// <summary>Copies the outputs that have a placement into their regions; or says why that cannot be.</summary>
    public InferenceError? TryPlace(InferenceResponse response, List<OutputPlacement>? placements)
    {
        foreach (var placement in placements ?? [])
        {
            if (response.Outputs.Find(placement.Output) is not { } tensor)
            {
                continue;
            }

            var size = (ulong)tensor.Data.Length;
            if (size > placement.ByteSize)
            {
                return InferenceError.Internal(
                    $"shared memory size specified with the request for output '{placement.Output}' ({placement.ByteSize} bytes) should be at least {size} bytes to hold the results");
            }

            if (regions.TryMap(placement.Region, placement.Offset, size, out var memory, out var lease) is { } error)
            {
                return error;
            }

            tensor.Data.CopyTo(memory);
            lease?.Dispose();
        }

        return null;
    }
}
