using System.Text;

namespace Runtime.Host.NvcfTest;

/// <summary>One request that a client of the platform makes.</summary>
internal sealed record Invocation(string Path, byte[] Body)
{
    public HttpMethod Method { get; init; } = HttpMethod.Post;

    /// <summary>The media type that the client accepts; empty for none.</summary>
    public string Accept { get; init; } = "";

    /// <summary>The ids that the platform lists; empty for a request without assets.</summary>
    public string AssetIds { get; init; } = "";

    /// <summary>Puts the request's files down; null for none.</summary>
    public Action<RequestDirectories>? Prepare { get; init; }

    public long MaxResponseByteSize { get; init; } = 5_000_000;

    /// <summary>Headers of the client's own, which the platform passes on.</summary>
    public IReadOnlyList<(string Name, string Value)> Headers { get; init; } = [];

    /// <summary>Whether the platform's header names go in lower case, as over HTTP/2.</summary>
    public bool HasLowerCaseHeaders { get; init; }

    /// <summary>Blanks before the body, which change nothing in JSON but its size.</summary>
    public long PaddingByteSize { get; init; }

    public bool IsStream => Accept == "text/event-stream";
}

/// <summary>What came back to the platform, and what it saw meanwhile.</summary>
internal sealed record Answer(Invocation Invocation, string RequestId)
{
    /// <summary>The status; 0 where the connection ended without one.</summary>
    public int Status { get; init; }

    public string ContentType { get; init; } = "";

    public byte[] Body { get; init; } = [];

    /// <summary>Why there is no answer, or not all of one; null where it is whole.</summary>
    public string? Fault { get; init; }

    /// <summary>The files in the output directory when the headers arrived, which leave with the answer.</summary>
    public IReadOnlyList<string> Artifacts { get; init; } = [];

    /// <summary>Those that came, went or changed afterwards.</summary>
    public IReadOnlyList<string> LateChanges { get; init; } = [];

    public IReadOnlyList<ProgressUpdate> Progress { get; init; } = [];

    /// <summary>How often a client was told 202 while it waited.</summary>
    public int Polls { get; init; }

    /// <summary>What the client gets in the end.</summary>
    public ClientAnswer? Client { get; init; }

    public bool IsGood => Fault is null && Status is >= 200 and < 400;

    public string Text => Encoding.UTF8.GetString(Body);

    /// <summary>The answer in a few words.</summary>
    public string Summary => Fault ?? (Status >= 400 ? $"{Status}: {Shorten(Text)}" : $"{Status}, {Body.Length} bytes of {(ContentType.Length > 0 ? ContentType : "no type")}");

    private static string Shorten(string text) => text.Length > 160 ? text[..160] + "…" : text;
}
