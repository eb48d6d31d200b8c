namespace Runtime.Host.NvcfTest.Checks;

/// <summary>Server-sent events, which the platform passes through as they come.</summary>
internal static class StreamChecks
{
    public static readonly IReadOnlyList<FunctionCheck> All =
    [
        new("stream", Level.Required, "Streams, if at all, as finite text/event-stream with 'data:' lines and a blank line after each event: clients read nothing else.", StreamAsync) { Inapplicable = CheckTable.WithoutHttp },
    ];

    private static async Task<Finding> StreamAsync(SimulatedPlatform platform, CancellationToken cancellation)
    {
        var settings = platform.Settings;
        var asked = settings.Stream is not null || settings.StreamBody is not null;
        var answer = await platform.InvokeAsync(new Invocation(settings.Stream ?? settings.Inference!, settings.StreamBody ?? settings.Body) { Accept = "text/event-stream" }, cancellation);
        if (!answer.IsGood)
        {
            return asked || answer.Fault is not null ? Finding.Fail(answer.Summary) : Finding.None($"it does not stream: {answer.Status}");
        }

        if (answer.ContentType != "text/event-stream")
        {
            return asked ? Finding.Fail($"the answer is {answer.ContentType}") : Finding.None("it answers at once");
        }

        return FaultOf(answer.Text) is { } fault ? Finding.Fail(fault) : Finding.Pass($"{EventsOf(answer.Text).Length} events");
    }

    /// <summary>What is wrong with a body of server-sent events; null for nothing.</summary>
    internal static string? FaultOf(string text)
    {
        var events = EventsOf(text);
        var plain = text.ReplaceLineEndings("\n");
        return events.Length == 0 ? "the stream has no event"
            : !plain.EndsWith("\n\n", StringComparison.Ordinal) ? "the last event is not ended by a blank line, so clients drop it"
            : Array.Find(plain.Split('\n'), line => line.Length > 0 && !IsField(line)) is { } odd ? $"'{(odd.Length > 60 ? odd[..60] + "…" : odd)}' is no line of an event"
            : null;
    }

    private static string[] EventsOf(string text)
        => [.. text.ReplaceLineEndings("\n").Split("\n\n").Where(part => part.Split('\n').Any(line => line.StartsWith("data:", StringComparison.Ordinal)))];

    private static bool IsField(string line) => line.StartsWith(':') || line.Split(':')[0] is "data" or "event" or "id" or "retry";
}
