using Runtime.Tensors;

namespace Runtime.Inference;

/// <summary>An output that the client asked for; a <see cref="ClassificationCount"/> above 0 asks for that many best classes instead of the tensor.</summary>
public sealed record RequestedOutput(string Name, uint ClassificationCount = 0);

/// <summary>One request, as every door hands it to <see cref="Models.Model"/>. Filled by one thread, then only read; disposed by the door, after the response.</summary>
public sealed class InferenceRequest : IDisposable
{
    /// <summary>An empty request whose inputs come from the given pool, or from the process's.</summary>
    public InferenceRequest(TensorPool? pool = null) => Inputs = new TensorSet(pool);

    /// <summary>The client's id, echoed in the response; empty for none.</summary>
    public string Id { get; set; } = "";

    public TensorSet Inputs { get; }

    /// <summary>What the client asked for; empty means every output.</summary>
    public List<RequestedOutput> Outputs { get; } = [];

    /// <summary>The client's parameters without those that have a property here; null for none.</summary>
    public Dictionary<string, ParameterValue>? Parameters { get; set; }

    /// <summary>1 is the highest priority; 0 asks for the model's default.</summary>
    public ulong Priority { get; set; }

    /// <summary>How long the request may wait in the queue; 0 asks for the model's default.</summary>
    public ulong TimeoutMicroseconds { get; set; }

    /// <summary>The sequence the request belongs to, as a number; 0 for none.</summary>
    public ulong SequenceId { get; set; }

    /// <summary>The sequence the request belongs to, as a string of at most 128 characters; empty for none.</summary>
    public string SequenceName { get; set; } = "";

    public bool SequenceStart { get; set; }

    public bool SequenceEnd { get; set; }

    /// <summary>For a request that a model makes, the models that wait for the answer, outermost first.</summary>
    public IReadOnlyList<string> Callers { get; set; } = [];

    /// <summary>What the platform that the host runs on knows of the request; null elsewhere.</summary>
    public RequestContext? Context { get; set; }

    /// <summary>What the model fills in of the request's way through it; null where nobody wants to know.</summary>
    public RequestTimeline? Timeline { get; set; }

    /// <summary>
    /// Whether whoever awaits the answer may go on on the thread of the instance that gave it, as long as nothing waits for that
    /// instance; <c>false</c>: always on the thread pool. For callers in the process, which save a change of threads for each
    /// answer. Until it awaits something else such a caller holds up the model: it must not block, nor dispose the model.
    /// </summary>
    public bool AllowSynchronousContinuations { get; set; }

    /// <summary>Set where the host itself asks, to see whether the model still executes: no limit, cache or statistic knows of such a request.</summary>
    internal Models.ModelProbe? Probe { get; set; }

    /// <summary><see cref="System.Diagnostics.Stopwatch"/> ticks when the request reached its door.</summary>
    public long ArrivalTimestamp { get; set; } = System.Diagnostics.Stopwatch.GetTimestamp();

    /// <summary>How messages of a request begin, as Triton's do: <c>[request id: abc] </c>.</summary>
    public string Prefix => Id.Length == 0 ? "[request id: <id_unknown>] " : $"[request id: {Id}] ";

    public void Dispose() => Inputs.Dispose();
}
