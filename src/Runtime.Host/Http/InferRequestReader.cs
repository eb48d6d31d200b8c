using Runtime.Host.Nvcf;
using Runtime.Host.SharedMemory;
using Runtime.Inference;
using Runtime.Models;

namespace Runtime.Host.Http;

/// <summary>Reads the three forms of an infer request: JSON, JSON followed by tensors as bytes, and the bytes of the only input.</summary>
internal sealed class InferRequestReader(Options.HostOptions options, SharedMemoryRegions regions, NvcfConventions? nvcf = null)
{
    private const string HeaderLength = "Inference-Header-Content-Length";

    private readonly NvcfConventions _nvcf = nvcf ?? new NvcfConventions(options);
    private readonly HeaderForwarding _forwarding = new(options.HttpHeaderForwardPattern);

    /// <summary>The bytes that a body may have, within what an array can hold.</summary>
    public long MaxInputSize { get; } = Math.Min(options.HttpMaxInputSize, Array.MaxLength - 1);

    /// <summary>Reads the whole request; the caller disposes the call.</summary>
    /// <exception cref="InferenceException">The request is malformed, too long or in an unknown encoding.</exception>
    public async ValueTask<InferCall> ReadAsync(HttpContext context, Model model)
    {
        using var body = await BodyEncoding.OpenAsync(context, MaxInputSize);
        var call = InferCall.Begin(_nvcf.TryBegin(context, model.Config));
        try
        {
            await ReadAsync(context, body, model, call);
            call.AllowDeviceOutputs(model.Config);
            if (call.Nvcf?.Assets is { ArePending: true } assets)
            {
                await assets.FillAsync(context.RequestAborted);
            }

            _forwarding.Apply(context.Request.Headers, call.Request);
            return call;
        }
        catch
        {
            call.Dispose();
            throw;
        }
    }

    private async ValueTask ReadAsync(HttpContext context, RequestBody body, Model model, InferCall call)
    {
        if (context.Request.Headers.TryGetValue(HeaderLength, out var header))
        {
            var text = header.ToString();
            var length = ParseHeaderLength(text, body.MostRemaining);
            if (length == 0)
            {
                await ReadRawAsync(body, model, call, ReadOnlyMemory<byte>.Empty);
                return;
            }

            var json = await body.HoldAsync(length);
            if (json.Length < length)
            {
                throw OutOfRange(text, json.Length);
            }

            ModelJson.ReadInfer(model, json, Context(model, body.MostRemaining, call), call);
            body.Release();
            await FillInputsAsync(body, model, call);
            return;
        }

        var whole = await body.HoldAsync(-1);
        if (whole.IsEmpty)
        {
            body.Release();
            await ReadRawAsync(body, model, call, ReadOnlyMemory<byte>.Empty);
            return;
        }

        ModelJson.ReadInfer(model, whole, Context(model, 0, call), call);
    }

    private InferContext Context(Model model, long binarySize, InferCall call)
        => new(model.Config, regions, MaxInputSize, options.HttpHalfPrecisionJson, binarySize, call.Nvcf?.Assets);

    private static async ValueTask FillInputsAsync(RequestBody body, Model model, InferCall call)
    {
        if (call.BinaryInputs is { } inputs)
        {
            foreach (var input in inputs)
            {
                var filled = await body.FillAsync(input.Memory);
                if (filled < input.Memory.Length)
                {
                    throw JsonCursor.Invalid($"unexpected size for input '{input.Name}', expecting {input.Memory.Length - filled} additional bytes for model '{model.Name}'");
                }
            }
        }

        if (!await body.IsAtEndAsync())
        {
            throw JsonCursor.Invalid($"unexpected additional input data for model '{model.Name}'");
        }
    }

    private static async ValueTask ReadRawAsync(RequestBody body, Model model, InferCall call, ReadOnlyMemory<byte> bytes)
    {
        // The shape follows from the length, so a body of unknown length is gathered first.
        var length = body.Length;
        if (length is null)
        {
            bytes = await body.HoldAsync(-1);
        }

        var error = RawInput.TryDeduce(model.Config, length ?? bytes.Length, out var input, out var shape);
        if (error is not null)
        {
            throw new InferenceException(error);
        }

        var prefix = input!.Type == Tensors.DataType.Bytes ? 4 : 0;
        call.Request.Inputs.Rent(input.Name, input.Type, shape, prefix + (length ?? bytes.Length), out var memory);
        if (prefix > 0)
        {
            System.Buffers.Binary.BinaryPrimitives.WriteInt32LittleEndian(memory.Span, memory.Length - prefix);
        }

        if (length is null)
        {
            bytes.CopyTo(memory[prefix..]);
        }
        else
        {
            await body.FillAsync(memory[prefix..]);
        }

        call.IsBinaryByDefault = true;
    }

    /// <summary>Leading digits count, as in C; 0 asks for a raw request.</summary>
    private static int ParseHeaderLength(string text, long most)
    {
        var start = text.Length - text.AsSpan().TrimStart().Length;
        var negative = start < text.Length && text[start] == '-';
        var i = start + (start < text.Length && text[start] is '-' or '+' ? 1 : 0);
        var first = i;
        long value = 0;
        for (; i < text.Length && char.IsAsciiDigit(text[i]); i++)
        {
            value = Math.Min(value * 10 + text[i] - '0', int.MaxValue + 1L);
        }

        if (i == first)
        {
            throw JsonCursor.Invalid($"Unable to parse Inference-Header-Content-Length, got: {text}");
        }

        return (negative && value > 0) || value > most ? throw OutOfRange(text, most) : (int)value;
    }

    private static InferenceException OutOfRange(string text, long most) => JsonCursor.Invalid($"inference header size should be in range (0, {most}), got: {text}");
}
