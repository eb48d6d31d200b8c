using Runtime.Inference;
using Runtime.Tensors;

namespace Runtime.Models;

/// <summary>
/// Answers that may be given again, of all models together, in ordinary memory: the least recently used go first when the
/// bytes are used up. Thread-safe.
/// </summary>
/// <param name="capacityBytes">What the entries may take, what is kept around the tensors included.</param>
public sealed class ResponseCache(long capacityBytes)
{
    // Generous measures of what an entry (key, node, dictionary slot) and a tensor (record, array headers) take beside the bytes.
    private const int EntryOverhead = 320;
    private const int TensorOverhead = 160;
    private const int ParameterOverhead = 120;

    private readonly Lock _gate = new();
    private readonly Dictionary<CacheKey, LinkedListNode<Entry>> _entries = [];
    private readonly LinkedList<Entry> _byUse = new();
    private long _bytes;
    private long _evictions;
    private long _owners;
    private long _epoch;

    /// <summary>What the entries may take in bytes.</summary>
    public long CapacityBytes { get; } = capacityBytes;

    /// <summary>What there is at this moment; evictions count from the start.</summary>
    public (long Entries, long Bytes, long Evictions) Counts
    {
        get
        {
            lock (_gate)
            {
                return (_entries.Count, _bytes, _evictions);
            }
        }
    }

    /// <summary>Changes whenever a model is loaded or unloaded, for answers that other models had a part in.</summary>
    internal long Epoch => Interlocked.Read(ref _epoch);

    internal void BeginEpoch() => Interlocked.Increment(ref _epoch);

    /// <summary>A number that no other loaded version has, or ever had.</summary>
    internal long AddOwner() => Interlocked.Increment(ref _owners);

    /// <summary>An answer, whose memory stays as it is; null where there is none.</summary>
    internal CachedResponse? Find(in CacheKey key)
    {
        lock (_gate)
        {
            if (!_entries.TryGetValue(key, out var node))
            {
                return null;
            }

            _byUse.Remove(node);
            _byUse.AddFirst(node);
            return node.Value.Response;
        }
    }

    /// <summary>Keeps a copy of an answer, unless it is larger than the cache.</summary>
    internal void Add(in CacheKey key, InferenceResponse response)
    {
        var size = SizeOf(response);
        if (size > CapacityBytes)
        {
            return;
        }

        var entry = new Entry(key, new CachedResponse(Copy(response.Outputs), response.Parameters), size);
        lock (_gate)
        {
            if (_entries.ContainsKey(key))
            {
                return; // another request of the same missed at the same time
            }

            while (_bytes + size > CapacityBytes)
            {
                Remove(_byUse.Last!);
                _evictions++;
            }

            _entries.Add(key, _byUse.AddFirst(entry));
            _bytes += size;
        }
    }

    /// <summary>Lets go of every answer of a version that is gone.</summary>
    internal void Drop(long owner)
    {
        lock (_gate)
        {
            for (var node = _byUse.First; node is not null;)
            {
                var next = node.Next;
                if (node.Value.Key.Owner == owner)
                {
                    Remove(node);
                }

                node = next;
            }
        }
    }

    private static long SizeOf(InferenceResponse response)
    {
        long size = EntryOverhead;
        foreach (var tensor in response.Outputs.Tensors)
        {
            size += TensorOverhead + tensor.Data.Length + (tensor.Shape.Length * sizeof(long)) + (tensor.Name.Length * sizeof(char));
        }

        foreach (var (name, value) in response.Parameters ?? [])
        {
            size += ParameterOverhead + ((name.Length + value.AsString.Length) * sizeof(char));
        }

        return size;
    }

    private static Tensor[] Copy(TensorSet outputs)
    {
        var copies = outputs.Tensors.ToArray();
        for (var i = 0; i < copies.Length; i++)
        {
            copies[i] = copies[i] with { Shape = [.. copies[i].Shape], Data = copies[i].Data.ToArray() };
        }

        return copies;
    }

    private void Remove(LinkedListNode<Entry> node)
    {
        _entries.Remove(node.Value.Key);
        _byUse.Remove(node);
        _bytes -= node.Value.Size;
    }

    private sealed record Entry(CacheKey Key, CachedResponse Response, long Size);
}

/// <summary>What a response said, in memory that nobody writes to.</summary>
internal sealed record CachedResponse(IReadOnlyList<Tensor> Outputs, Dictionary<string, ParameterValue>? Parameters);
