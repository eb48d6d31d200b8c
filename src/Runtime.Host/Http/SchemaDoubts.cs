using System.Runtime.InteropServices;
using Runtime.Inference;
using Runtime.Models;
using Runtime.Schemas;
using Runtime.Tensors;

namespace Runtime.Host.Http;

/// <summary>
/// What a tensor no longer shows of the JSON that it was read from: arrays nested otherwise than the shape says, and numbers
/// too large for their datatype, which have become infinite. A model with a schema refuses both.
/// </summary>
internal static class SchemaDoubts
{
    /// <exception cref="InferenceException">The JSON breaks the model's schema.</exception>
    public static void Check(Model model, ReadOnlyMemory<byte> json, RequestForm form, InferenceRequest request)
    {
        if (model.Schema is { } schema && (MayBeNested(json.Span, form, request) || IsInfinite(request)) && schema.Explain(json, form) is { } error)
        {
            throw new InferenceException(error);
        }
    }

    /// <summary>More opening brackets than flat tensors need; some may stand in strings.</summary>
    private static bool MayBeNested(ReadOnlySpan<byte> json, RequestForm form, InferenceRequest request)
    {
        var flat = form == RequestForm.Generate ? request.Inputs.Count : 1 + 2 * request.Inputs.Count + (request.Outputs.Count > 0 ? 1 : 0);
        return json.Count((byte)'[') > flat;
    }

    private static bool IsInfinite(InferenceRequest request)
    {
        foreach (var tensor in request.Inputs.Tensors)
        {
            var data = tensor.Data.Span;
            var isInfinite = tensor.Type switch
            {
                DataType.Fp16 => MemoryMarshal.Cast<byte, Half>(data).ContainsAny(Half.PositiveInfinity, Half.NegativeInfinity),
                DataType.Bf16 => MemoryMarshal.Cast<byte, ushort>(data).ContainsAny((ushort)0x7F80, (ushort)0xFF80),
                DataType.Fp32 => MemoryMarshal.Cast<byte, float>(data).ContainsAny(float.PositiveInfinity, float.NegativeInfinity),
                _ => false,
            };
            if (isInfinite)
            {
                return true;
            }
        }

        return false;
    }
}
