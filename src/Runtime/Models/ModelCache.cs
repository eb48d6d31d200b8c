using System.Diagnostics;
using System.Runtime.InteropServices;
using Runtime.Devices;
using Runtime.Inference;
using Runtime.Tensors;

namespace Runtime.Models;

/// <summary>Where an answer belongs that the cache did not have.</summary>
internal sealed record CacheMiss(CacheKey Key);

/// <summary>What one loaded version sees of the response cache: its own answers, which go when it goes. Counts hits and misses.</summary>
internal sealed class ModelCache(ResponseCache cache, ModelConfig config, ModelStatistics statistics) : IDisposable
{
    private readonly long _owner = cache.AddOwner();

    /// <summary>A copy of the answer that the same request got before; or null, and where to put the answer (null: nowhere).</summary>
    public TensorSet? Find(InferenceRequest request, out CacheMiss? miss)
    {
        miss = null;
        if (!IsRepeatable(request))
        {
            return null;
        }

        var start = Stopwatch.GetTimestamp();

        // An ensemble's answer is its steps' as they were loaded when the request came.
        var key = CacheKey.Of(_owner, config.IsEnsemble ? cache.Epoch : 0, request, config);
        if (cache.Find(key) is { } found)
        {
            var outputs = Copy(found);
            statistics.RecordCacheHit(request.ArrivalTimestamp, start, request.Inputs.ByteCount);
            return outputs;
        }

        miss = new CacheMiss(key);
        statistics.RecordCacheMiss(start, isLookup: true);
        return null;
    }

    /// <summary>Keeps the answer for the next request of the same.</summary>
    public void Store(CacheMiss miss, InferenceResponse response)
    {
        var start = Stopwatch.GetTimestamp();
        cache.Add(miss.Key, response);
        statistics.RecordCacheMiss(start, isLookup: false);
    }

    public void Dispose() => cache.Drop(_owner);

    /// <summary>
    /// Whether the request's inputs are all that decides its answer: not in a sequence, as an ensemble's step may be, and not
    /// where a client can change inputs between the lookup and the execution.
    /// </summary>
    private static bool IsRepeatable(InferenceRequest request)
    {
        foreach (var tensor in request.Inputs.Tensors)
        {
            if (MemoryMarshal.TryGetMemoryManager<byte, ForeignMemory>(tensor.Data, out _) || DeviceMemory.TryGet(tensor.Data, out _, out _) is { IsForeign: true })
            {
                return false;
            }
        }

        return request.SequenceId == 0 && request.SequenceName.Length == 0;
    }

    private static TensorSet Copy(CachedResponse response)
    {
        var copy = new TensorSet(capacity: response.Outputs.Count) { Parameters = response.Parameters };
        foreach (var tensor in response.Outputs)
        {
            copy.Rent(tensor.Name, tensor.Type, tensor.Shape, tensor.Data.Length, out var memory);
            tensor.Data.CopyTo(memory);
        }

        return copy;
    }
}
