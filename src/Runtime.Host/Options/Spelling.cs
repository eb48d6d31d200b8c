namespace Runtime.Host.Options;

/// <summary>Finds what a person probably meant.</summary>
internal static class Spelling
{
    /// <summary>The ending <c>; did you mean 'x'?</c> for the nearest of the known names, or nothing when none is near.</summary>
    public static string Suggest(string given, IEnumerable<string> known, string prefix = "")
    {
        var nearest = known.Select(name => (Name: name, Edits: Distance(given, name))).MinBy(candidate => candidate.Edits);
        return nearest.Name is not null && nearest.Edits <= Math.Max(2, given.Length / 4) ? $"; did you mean '{prefix}{nearest.Name}'?" : "";
    }

    /// <summary>Characters to insert, delete, replace or swap with their neighbour to get from one text to the other.</summary>
    private static int Distance(string from, string to)
    {
        var edits = new int[from.Length + 1, to.Length + 1];
        for (var i = 0; i <= from.Length; i++)
        {
            for (var j = 0; j <= to.Length; j++)
            {
                if (i == 0 || j == 0)
                {
                    edits[i, j] = i + j;
                    continue;
                }

                var replaced = edits[i - 1, j - 1] + (from[i - 1] == to[j - 1] ? 0 : 1);
                edits[i, j] = Math.Min(replaced, 1 + Math.Min(edits[i - 1, j], edits[i, j - 1]));
                if (i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1])
                {
                    edits[i, j] = Math.Min(edits[i, j], edits[i - 2, j - 2] + 1);
                }
            }
        }

        return edits[from.Length, to.Length];
    }
}
