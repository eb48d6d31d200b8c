using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Runtime.Functions;
using Runtime.Functions.Conversion;
using Runtime.Inference;
using Runtime.Models;
using Runtime.Tensors;

namespace Runtime.Tests.Functions;

/// <summary>Bound functions in a repository without directories, and what they logged.</summary>
internal sealed class BoundModels : IAsyncDisposable, ILoggerFactory, ILogger
{
    private readonly ModelRepository _models;

    private BoundModels(FunctionModel[] functions, TimeProvider time)
    {
        ModelRepository? models = null;
        var services = new FunctionServices { Models = () => models, Loggers = this, Time = time };
        models = new ModelRepository(new RepositoryOptions { Directories = [] }, [new BoundFunctions(functions, services)], time);
        _models = models;
    }

    public ConcurrentQueue<string> Log { get; } = [];

    public static async Task<BoundModels> ServeAsync(TimeProvider? time, params FunctionModel[] functions)
    {
        var models = new BoundModels(functions, time ?? TimeProvider.System);
        foreach (var function in functions)
        {
            Assert.Null(await models._models.AddAsync(function.Config, default));
        }

        return models;
    }

    public static Task<BoundModels> ServeAsync(params FunctionModel[] functions) => ServeAsync(null, functions);

    /// <summary>A request with INT32 X; -1 stands for no input.</summary>
    public static InferenceRequest Request(long[] shape, params int[] values)
    {
        var request = new InferenceRequest();
        request.Inputs.Rent("X", DataType.Int32, shape, values.Length * sizeof(int), out var memory);
        MemoryMarshal.AsBytes<int>(values).CopyTo(memory.Span);
        return request;
    }

    /// <summary>What the model makes of X, as text: output Y's numbers or texts, or the error's code and message.</summary>
    public async Task<string> AskAsync(string name, int value = 1, CancellationToken cancellation = default)
    {
        using var lease = Acquire(name);
        using var request = Request(lease.Model.Config.IsBatching ? [1, 1] : [1], value);
        using var response = await lease.Model.InferAsync(request, cancellation);
        return Text(response);
    }

    public async IAsyncEnumerable<string> StreamAsync(string name, int value = 1, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation = default)
    {
        using var lease = Acquire(name);
        using var request = Request([1], value);
        await foreach (var response in lease.Model.StreamAsync(request, cancellation))
        {
            using (response)
            {
                yield return Text(response);
            }
        }
    }

    public ModelLease Acquire(string name)
    {
        Assert.Null(_models.TryAcquire(name, "", out var lease));
        return lease;
    }

    public static string Text(InferenceResponse response)
    {
        if (response.Error is { } error)
        {
            return $"{error.Code}: {error.Message}";
        }

        var output = response.Outputs.Find("Y")!;
        Assert.True(Elements.TryRead<int>(output.Type, output.Data.Span, (int)output.ElementCount, out var numbers));
        return string.Join(',', numbers);
    }

    public ValueTask DisposeAsync() => _models.DisposeAsync();

    public void Dispose()
    {
    }

    void ILoggerFactory.AddProvider(ILoggerProvider provider)
    {
    }

    ILogger ILoggerFactory.CreateLogger(string categoryName) => this;

    IDisposable? ILogger.BeginScope<TState>(TState state) => null;

    bool ILogger.IsEnabled(LogLevel logLevel) => true;

    void ILogger.Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        => Log.Enqueue($"{formatter(state, exception)} {exception}");
}
