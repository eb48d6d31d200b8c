/// <summary>The keys and values of the characters so far: [layers, 2, 1, heads, characters, width].</summary>
internal sealed class AttentionCache
{
    /// <summary>How many characters the model was trained to look back at.</summary>
    public const int Window = 128;

    private const int Layers = 4;
    private const int Heads = 4;
    private const int Width = 32;

    public TensorValue Value { get; set; } = TensorValue.Create(DataType.Fp32, default, Layers, 2, 1, Heads, 0, Width);

    /// <summary>The cache without what is older than the window; the model knows distances only, so nothing else changes.</summary>
    public static TensorValue Newest(TensorValue cache)
    {
        const int Kept = Window - 1;
        var length = (int)cache.Shape[4];
        if (length <= Kept)
        {
            return cache;
        }

        var source = cache.AsSpan<float>();
        var newest = new float[Layers * 2 * Heads * Kept * Width];
        for (var block = 0; block < Layers * 2 * Heads; block++)
        {
            var end = (block + 1) * length * Width;
            source[(end - (Kept * Width))..end].CopyTo(newest.AsSpan(block * Kept * Width));
        }

        return TensorValue.Create(newest, Layers, 2, 1, Heads, Kept, Width);
    }
}
