using System.Collections;
using System.Diagnostics;
using Runtime.Host.Nvcf;
using Runtime.Inference;

namespace Runtime.Host.Telemetry;

/// <summary>
/// What is known of one inference request when it is over: a line of the log of requests, whose fields are listed here once for every
/// format. Written by the request alone; nothing changes after <see cref="RequestObserver.End"/>.
/// </summary>
internal sealed class RequestRecord(string protocol, string method) : IReadOnlyList<KeyValuePair<string, object?>>
{
    private readonly long _start = Stopwatch.GetTimestamp();
    private List<KeyValuePair<string, object?>>? _fields;
    private RequestTimeline? _timeline;
    private TimeSpan _total;
    private string _id = "";

    public string Protocol => protocol;

    /// <summary>What was called, such as infer or ModelInfer.</summary>
    public string Method => method;

    /// <summary>The server's part of the request's trace; null where it is not traced.</summary>
    public Activity? Span { get; init; }

    /// <summary>The platform's headers; null for a request that did not come through it.</summary>
    public NvcfHeaders? Platform { get; init; }

    public string Model { get; set; } = "";

    /// <summary>The version that served, or the one that was asked for; empty for neither.</summary>
    public string Version { get; set; } = "";

    /// <summary>HTTP's status or gRPC's code.</summary>
    public int Status { get; set; }

    /// <summary>The body that came, with what frames it; where HTTP does not say how long it is, the inputs' tensors.</summary>
    public long BytesIn { get; set; }

    /// <summary>The bodies that were sent.</summary>
    public long BytesOut { get; set; }

    public string? Error { get; private set; }

    public ErrorCode? Code { get; private set; }

    /// <summary>Whether the client left before its answer.</summary>
    public bool IsClientGone { get; set; }

    public int Count => Fields.Count;

    private List<KeyValuePair<string, object?>> Fields => _fields ??= List();

    public KeyValuePair<string, object?> this[int index] => Fields[index];

    /// <summary>The request that was read, and the model that serves it.</summary>
    public void Begin(InferenceRequest request, Models.Model model)
    {
        _timeline = request.Timeline ??= new RequestTimeline();
        (_id, Model, Version) = (request.Id, model.Name, model.Version.ToString(System.Globalization.CultureInfo.InvariantCulture));
        BytesIn = BytesIn > 0 ? BytesIn : request.Inputs.ByteCount;
    }

    /// <summary>The id of a request that could not be read to its end.</summary>
    public void Name(string id, string model, string version) => (_id, Model, Version) = (id, model, version);

    /// <summary>The first error counts.</summary>
    public void Fail(string message, ErrorCode? code = null)
    {
        if (Error is null)
        {
            (Error, Code) = (message, code);
        }
    }

    public void Fail(InferenceError error) => Fail(error.Message, error.Code);

    public void Close() => _total = Stopwatch.GetElapsedTime(_start);

    public IEnumerator<KeyValuePair<string, object?>> GetEnumerator() => Fields.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private List<KeyValuePair<string, object?>> List()
    {
        var fields = new List<KeyValuePair<string, object?>>(24)
        {
            new("protocol", protocol), new("method", method), new("model", Model), new("version", Version), new("id", _id), new("status", Status),
        };
        Add("error", Error);
        Add("error_code", Code?.ToString());
        Add("client_gone", IsClientGone ? true : null);
        Add("total_us", Microseconds(_total));
        if (_timeline is { } timeline)
        {
            Add("queue_us", Microseconds(timeline.Queue));
            Add("compute_us", Microseconds(timeline.Compute));
            Add("first_response_us", timeline.Responses > 1 ? Microseconds(timeline.FirstResponse) : null);
            Add("batch", timeline.Rows > 0 ? timeline.Rows : null);
        }

        Add("bytes_in", BytesIn);
        Add("bytes_out", BytesOut);
        Add("responses", _timeline?.Responses ?? 0);
        Add("trace_id", Span?.TraceId.ToHexString());
        Add("span_id", Span?.SpanId.ToHexString());
        foreach (var (name, value) in Platform ?? Enumerable.Empty<KeyValuePair<string, string>>())
        {
            Add(name.ToLowerInvariant().Replace('-', '_'), NvcfHeaders.IsIdentity(name) ? value : null);
        }

        return fields;

        void Add(string name, object? value)
        {
            if (value is not null)
            {
                fields.Add(new(name, value));
            }
        }
    }

    private static long Microseconds(TimeSpan duration) => (long)duration.TotalMicroseconds;
}
