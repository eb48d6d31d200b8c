using System.Runtime.InteropServices;
using Runtime.Inference;
using Runtime.Models;
using Runtime.Schemas;
using Runtime.Tensors;

namespace Runtime.Host.Http;

/// <summary>Reads a model's requests. Where it has a schema, what is wrong is told in its terms, and all of it.</summary>
internal static class ModelJson
{
    /// <exception cref="InferenceException">The JSON is malformed, or breaks the model's schema.</exception>
    public static void ReadInfer(Model model, ReadOnlyMemory<byte> json, in InferContext context, InferCall call)
    {
        try
        {
            InferJson.Read(json.Span, context, call);
        }
        catch (InferenceException) when (Explain(model, json, RequestForm.Infer, call) is { } error)
        {
            throw new InferenceException(error);
        }

        CheckDoubts(model, json, RequestForm.Infer, call);
    }

    /// <exception cref="InferenceException">The JSON is malformed, or breaks the model's schema.</exception>
    public static void ReadGenerate(Model model, ReadOnlyMemory<byte> json, InferCall call)
    {
        try
        {
            GenerateJson.Read(json.Span, model.Config, call);
        }
        catch (InferenceException) when (Explain(model, json, RequestForm.Generate, call) is { } error)
        {
            throw new InferenceException(error);
        }

        CheckDoubts(model, json, RequestForm.Generate, call);
    }

    /// <summary>The schema reads data from the JSON; an asset's are not in it, and its tensor is checked by the model.</summary>
    private static InferenceError? Explain(Model model, ReadOnlyMemory<byte> json, RequestForm form, InferCall call)
        => call.NamesAssets ? null : model.Schema?.Explain(json, form);

    /// <summary>
    /// What a tensor no longer shows of the JSON that it was read from: arrays nested otherwise than the shape says, and numbers
    /// too large for their datatype, which have become infinite. A model with a schema refuses both.
    /// </summary>
    private static void CheckDoubts(Model model, ReadOnlyMemory<byte> json, RequestForm form, InferCall call)
    {
        if (model.Schema is not null && (MayBeNested(json.Span, form, call.Request) || IsInfinite(call.Request)) && Explain(model, json, form, call) is { } error)
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
