/// <summary>Draws the next character.</summary>
internal static class Sampler
{
    public static int Pick(ReadOnlySpan<float> logits, Settings settings)
    {
        var best = IndexOfMax(logits);
        if (settings.Temperature == 0)
        {
            return best;
        }

        Span<double> weights = stackalloc double[logits.Length];
        var least = Least(logits, settings.TopK);
        var sum = 0.0;
        for (var i = 0; i < logits.Length; i++)
        {
            weights[i] = logits[i] < least ? 0 : Math.Exp((logits[i] - logits[best]) / settings.Temperature);
            sum += weights[i];
        }

        var drawn = settings.Random.NextDouble() * sum;
        for (var i = 0; i < weights.Length; i++)
        {
            drawn -= weights[i];
            if (drawn < 0)
            {
                return i;
            }
        }

        return best;
    }

    private static int IndexOfMax(ReadOnlySpan<float> logits)
    {
        var best = 0;
        for (var i = 1; i < logits.Length; i++)
        {
            best = logits[i] > logits[best] ? i : best;
        }

        return best;
    }

    /// <summary>The least of so many likeliest.</summary>
    private static float Least(ReadOnlySpan<float> logits, int count)
    {
        if (count == 0 || count >= logits.Length)
        {
            return float.NegativeInfinity;
        }

        Span<float> sorted = stackalloc float[logits.Length];
        logits.CopyTo(sorted);
        sorted.Sort();
        return sorted[^count];
    }
}
