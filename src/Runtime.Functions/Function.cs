namespace Runtime.Functions;

/// <summary>
/// A model written in C#. Override what it does: <see cref="InferAsync"/> or <see cref="InferBatchAsync"/> for one answer a
/// request, <see cref="StreamAsync"/> for any number of them, or both.
/// </summary>
/// <remarks>One object serves many requests at once, so what they share must be thread-safe. It needs a public constructor without parameters.</remarks>
public abstract class Function : IAsyncDisposable
{
    private FunctionContext? _context;

    /// <summary>The model's surroundings, from <see cref="InitializeAsync"/> on.</summary>
    protected internal FunctionContext Context
    {
        get => _context ?? throw new InvalidOperationException("a function has its context from InitializeAsync on, not yet in its constructor");
        internal set => _context = value;
    }

    /// <summary>Prepares the function; requests come only once it has returned. What it throws is why the model does not load.</summary>
    public virtual ValueTask InitializeAsync(FunctionContext context) => ValueTask.CompletedTask;

    /// <summary>Answers one request, or one row of a request where the model batches.</summary>
    public virtual ValueTask<Outputs> InferAsync(Inputs inputs, FunctionRequest request)
        => throw new NotSupportedException($"{GetType().Name} does not override {nameof(InferAsync)}");

    /// <summary>Answers a batch: as many outputs as there are inputs, in their order. Used where the model's <c>max_batch_size</c> is above 0.</summary>
    /// <param name="batch">The inputs; each knows its <see cref="Inputs.Request"/>.</param>
    /// <param name="cancellation">Cancelled when nobody waits for any of the answers.</param>
    public virtual ValueTask<IReadOnlyList<Outputs>> InferBatchAsync(IReadOnlyList<Inputs> batch, CancellationToken cancellation)
        => throw new NotSupportedException($"{GetType().Name} does not override {nameof(InferBatchAsync)}");

    /// <summary>Answers one request piece by piece. The next piece is asked for once the client has taken the last.</summary>
    public virtual IAsyncEnumerable<Outputs> StreamAsync(Inputs inputs, FunctionRequest request)
        => throw new NotSupportedException($"{GetType().Name} does not override {nameof(StreamAsync)}");

    /// <summary>Frees what the function holds, after its last request.</summary>
    public virtual ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }
}
