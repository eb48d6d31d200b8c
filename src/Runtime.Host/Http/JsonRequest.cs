using System.Buffers;
using System.Text.Json;
using Runtime.Inference;

namespace Runtime.Host.Http;

/// <summary>The small JSON body of a request that carries no tensors, read fully; disposed, its memory goes back.</summary>
internal sealed class JsonRequest : IDisposable
{
    private const int SmallestBuffer = 4 << 10;

    /// <summary>Up to here, memory is reserved on the word of the content length alone.</summary>
    private const int LargestTrustedLength = 64 << 10;

    private static readonly JsonDocumentOptions Options = new() { MaxDepth = 100 };

    private byte[] _buffer = [];
    private int _length;
    private JsonDocument? _document;

    /// <summary>Whether there was no body.</summary>
    public bool IsEmpty => _length == 0;

    /// <summary>Reads the body, whatever its content type and encoding say; an empty one only where that is allowed.</summary>
    public static async Task<(JsonRequest Request, InferenceError? Error)> ReadAsync(HttpContext context, long maxByteSize, bool mayBeEmpty)
    {
        var request = new JsonRequest();
        var tooLarge = InferenceError.InvalidArgument($"the request body is larger than {maxByteSize} bytes, the limit of --http-max-input-size");
        if (context.Request.ContentLength > maxByteSize || !await request.TryFillAsync(context, maxByteSize))
        {
            return (request, tooLarge);
        }

        return (request, request.Parse(mayBeEmpty));
    }

    /// <summary>The member of that name, the first of several; false also where the body is empty or no object.</summary>
    public bool TryFind(string name, out JsonElement value)
    {
        value = default;
        return _document is not null && TryFind(_document.RootElement, name, out value);
    }

    /// <inheritdoc cref="TryFind(string, out JsonElement)"/>
    public static bool TryFind(JsonElement parent, string name, out JsonElement value)
    {
        if (parent.ValueKind == JsonValueKind.Object)
        {
            foreach (var member in parent.EnumerateObject())
            {
                if (member.NameEquals(name))
                {
                    value = member.Value;
                    return true;
                }
            }
        }

        value = default;
        return false;
    }

    public void Dispose()
    {
        _document?.Dispose();
        if (_buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = [];
        }
    }

    private async Task<bool> TryFillAsync(HttpContext context, long maxByteSize)
    {
        while (true)
        {
            if (_length == _buffer.Length)
            {
                Grow((int)Math.Clamp(context.Request.ContentLength ?? 0, SmallestBuffer, LargestTrustedLength) + 1);
            }

            var count = await context.Request.Body.ReadAsync(_buffer.AsMemory(_length), context.RequestAborted);
            _length += count;
            if (count == 0 || _length > maxByteSize)
            {
                return count == 0;
            }
        }
    }

    private void Grow(int atLeast)
    {
        var larger = ArrayPool<byte>.Shared.Rent((int)Math.Clamp(_length * 2L, atLeast, Array.MaxLength));
        _buffer.AsSpan(0, _length).CopyTo(larger);
        if (_buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
        }

        _buffer = larger;
    }

    private InferenceError? Parse(bool mayBeEmpty)
    {
        if (_length == 0)
        {
            return mayBeEmpty ? null : InferenceError.InvalidArgument("failed to parse the request JSON buffer: The document is empty. at 0");
        }

        var text = _buffer.AsMemory(0, _length);
        try
        {
            _document = JsonDocument.Parse(text.Span.StartsWith("\uFEFF"u8) ? text[3..] : text, Options);
            return null;
        }
        catch (JsonException exception)
        {
            return InferenceError.InvalidArgument($"failed to parse the request JSON buffer: {exception.Message}");
        }
    }
}
