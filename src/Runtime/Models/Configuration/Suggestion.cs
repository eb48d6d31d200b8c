namespace Runtime.Models.Configuration;

/// <summary>Finds the name that somebody may have meant.</summary>
internal static class Suggestion
{
    private const int LongestName = 64;

    /// <summary><c>; did you mean 'name'?</c>, or nothing where no candidate is near.</summary>
    public static string For(string name, IEnumerable<string> candidates)
    {
        if (name.Length > LongestName)
        {
            return "";
        }

        var nearest = candidates.MinBy(candidate => Distance(name, candidate));
        return nearest is not null && Distance(name, nearest) <= Math.Max(1, name.Length / 3) ? $"; did you mean '{nearest}'?" : "";
    }

    private static int Distance(string left, string right)
    {
        var row = Enumerable.Range(0, right.Length + 1).ToArray();
        for (var i = 1; i <= left.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= right.Length; j++)
            {
                var substitution = diagonal + (char.ToLowerInvariant(left[i - 1]) == char.ToLowerInvariant(right[j - 1]) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(substitution, 1 + Math.Min(row[j], row[j - 1]));
            }
        }

        return row[^1];
    }
}
