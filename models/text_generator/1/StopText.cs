using System.Text;

/// <summary>Holds back the end of a text as long as it may be the beginning of one that ends the answer.</summary>
internal sealed class StopText(string[] stops)
{
    private readonly StringBuilder _held = new();

    public bool IsFound { get; private set; }

    /// <summary>What was held back to the last.</summary>
    public string Rest => _held.ToString();

    /// <summary>Takes a character, and returns what can be told by now.</summary>
    public string Add(char character)
    {
        var text = _held.Append(character).ToString();
        var found = stops.Select(stop => text.IndexOf(stop, StringComparison.Ordinal)).Where(index => index >= 0).DefaultIfEmpty(-1).Min();
        if (found >= 0)
        {
            IsFound = true;
            _held.Clear();
            return text[..found];
        }

        var held = stops.Select(stop => Overlap(text, stop)).DefaultIfEmpty(0).Max();
        _held.Clear().Append(text, text.Length - held, held);
        return text[..^held];
    }

    /// <summary>How many of the text's last characters begin the stop text.</summary>
    private static int Overlap(string text, string stop)
    {
        var length = Math.Min(text.Length, stop.Length - 1);
        while (length > 0 && !text.EndsWith(stop[..length], StringComparison.Ordinal))
        {
            length--;
        }

        return length;
    }
}
