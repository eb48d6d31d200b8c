using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using Runtime.Inference;

namespace Runtime.Models;

/// <summary>Names one answer: the loaded version that gave it, and the SHA-256 of everything that decides what it says.</summary>
/// <remarks>
/// A cryptographic hash, since a client chooses the bytes: nobody can make two requests that share a key, so a hit never shows
/// another request's data and the inputs need not be kept to be compared.
/// </remarks>
internal readonly record struct CacheKey(long Owner, UInt128 First, UInt128 Second)
{
    [ThreadStatic]
    private static IncrementalHash? _hash;

    [ThreadStatic]
    private static ArrayBufferWriter<byte>? _head;

    public override int GetHashCode() => First.GetHashCode();

    /// <summary>The key of a checked request. Names are positions in the configuration, which belongs to the owner.</summary>
    /// <param name="owner">The loaded version.</param>
    /// <param name="epoch">What else decides the answer; requests of another epoch share nothing.</param>
    /// <param name="request">The request.</param>
    /// <param name="config">The version's configuration.</param>
    public static CacheKey Of(long owner, long epoch, InferenceRequest request, ModelConfig config)
    {
        var head = _head ??= new ArrayBufferWriter<byte>();
        head.ResetWrittenCount();
        Write(head, epoch);
        WriteOutputs(head, request, config);

        // All lengths come before all bytes, so that no two requests spell the same text.
        foreach (var known in config.Inputs)
        {
            WriteInput(head, request.Inputs.Find(known.Name));
        }

        var hash = _hash ??= IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(head.WrittenSpan);
        foreach (var known in config.Inputs)
        {
            if (request.Inputs.Find(known.Name) is { } tensor)
            {
                hash.AppendData(tensor.Data.Span);
            }
        }

        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        hash.GetHashAndReset(digest);
        return new CacheKey(owner, BinaryPrimitives.ReadUInt128LittleEndian(digest), BinaryPrimitives.ReadUInt128LittleEndian(digest[16..]));
    }

    private static void WriteOutputs(ArrayBufferWriter<byte> head, InferenceRequest request, ModelConfig config)
    {
        // The response has the model's order, whatever the request's is; no output named asks for all.
        foreach (var known in config.Outputs)
        {
            var asked = request.Outputs.Find(output => output.Name == known.Name);
            Write(head, asked is null && request.Outputs.Count > 0 ? -1 : (long)(asked?.ClassificationCount ?? 0));
        }
    }

    private static void WriteInput(ArrayBufferWriter<byte> head, Tensors.Tensor? tensor)
    {
        Write(head, tensor is null ? -1 : (long)tensor.Type);
        if (tensor is null)
        {
            return;
        }

        Write(head, tensor.Data.Length);
        Write(head, tensor.Shape.Length);
        foreach (var dimension in tensor.Shape)
        {
            Write(head, dimension);
        }
    }

    private static void Write(ArrayBufferWriter<byte> head, long value)
    {
        BinaryPrimitives.WriteInt64LittleEndian(head.GetSpan(sizeof(long)), value);
        head.Advance(sizeof(long));
    }
}
