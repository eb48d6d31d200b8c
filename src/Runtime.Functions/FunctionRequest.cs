using System.Diagnostics;
using Runtime.Functions.Conversion;
using Runtime.Inference;

namespace Runtime.Functions;

/// <summary>The request that a function answers, beside its inputs.</summary>
public sealed class FunctionRequest
{
    private static readonly AsyncLocal<FunctionRequest?> Running = new();

    private readonly InferenceRequest _request;
    private readonly HashSet<IDisposable> _owned = [];
    private IReadOnlyDictionary<string, object>? _parameters;
    private IReadOnlyDictionary<string, string>? _headers;
    private IEnumerable<string> _moreCallers = [];
    private bool _isReleased;

    internal FunctionRequest(InferenceRequest request, FunctionContext context, CancellationToken cancellation)
        => (_request, Context, Cancellation) = (request, context, cancellation);

    /// <summary>What surrounds the function.</summary>
    public FunctionContext Context { get; }

    /// <summary>The client's id; empty for none.</summary>
    public string Id => _request.Id;

    /// <summary>The client's parameters: bools, longs, ulongs, doubles and strings.</summary>
    public IReadOnlyDictionary<string, object> Parameters => _parameters ??= (_request.Parameters ?? []).ToDictionary(entry => entry.Key, entry => Plain(entry.Value));

    /// <summary>The headers that the host knows of the request, by names in any case: its platform's, or else those that it forwards as parameters.</summary>
    public IReadOnlyDictionary<string, string> Headers => _headers ??= Platform?.Headers ?? Forwarded();

    /// <summary>What the platform that the host runs on knows of the request, and the files that come and go with it; null elsewhere.</summary>
    public RequestContext? Platform => _request.Context;

    /// <summary>Cancelled when the client has gone or the request's time is over: nobody waits for the answer any more.</summary>
    public CancellationToken Cancellation { get; }

    /// <summary>The request that the calling code runs for; null outside of one.</summary>
    internal static FunctionRequest? Current
    {
        get => Running.Value;
        set
        {
            Running.Value = value;
            if (value?._request.Timeline?.Activity is { } activity)
            {
                // What the function logs, and whom it calls over HTTP, belongs to the request's trace.
                Activity.Current = activity;
            }
        }
    }

    /// <summary>The models whose executions wait for this answer, outermost first, this one last.</summary>
    internal IReadOnlyList<string> Callers => [.. _request.Callers.Union(_moreCallers), Context.ModelName];

    /// <summary>Tells the client how far the request is, where the host can: a percentage, and what is known so far as a JSON object.</summary>
    /// <exception cref="ArgumentException">The percentage is NaN, or the partial answer is too large or no JSON object.</exception>
    public void Report(double percent, object? partial = null)
        => Platform?.Progress?.Report(percent, partial is null ? default : NestedJson.Write(partial));

    /// <summary>For one that stands for a batch: the callers of its other members.</summary>
    internal void AddCallers(IEnumerable<string> callers) => _moreCallers = [.. callers.Distinct()];

    /// <summary>Disposes it with the request, unless it is disowned before.</summary>
    internal void Own(IDisposable item)
    {
        lock (_owned)
        {
            if (!_isReleased)
            {
                _owned.Add(item);
                return;
            }
        }

        item.Dispose();
    }

    internal void Disown(IDisposable item)
    {
        lock (_owned)
        {
            _owned.Remove(item);
        }
    }

    /// <summary>Ends the request: disposes what it still owns.</summary>
    internal void Release()
    {
        IDisposable[] left;
        lock (_owned)
        {
            _isReleased = true;
            if (_owned.Count == 0)
            {
                return;
            }

            left = [.. _owned];
            _owned.Clear();
        }

        Array.ForEach(left, static item => item.Dispose());
    }

    private Dictionary<string, string> Forwarded() => (_request.Parameters ?? [])
        .Where(entry => entry.Value.Kind == ParameterKind.String)
        .GroupBy(entry => entry.Key, StringComparer.OrdinalIgnoreCase)
        .ToDictionary(group => group.Key, group => group.First().Value.AsString, StringComparer.OrdinalIgnoreCase);

    private static object Plain(ParameterValue value) => value.Kind switch
    {
        ParameterKind.Bool => value.AsBool,
        ParameterKind.Int64 => value.AsInt64,
        ParameterKind.Uint64 => value.AsUint64,
        ParameterKind.Double => value.AsDouble,
        _ => value.AsString,
    };
}
