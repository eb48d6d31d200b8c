using System.Buffers;
using Runtime.Devices;
using Runtime.Inference;
using Runtime.Models;
using Runtime.Tensors;

namespace Runtime.Backends;

/// <summary>Loads models of one kind. A backend knows tensors; requests, batches, protocols and statistics are not its business.</summary>
public interface IBackend
{
    /// <summary>The name that a configuration's <c>backend</c> field asks for.</summary>
    string Name { get; }

    /// <summary>Whether a version is made of files; a model of a backend without files is version 1 where it has no version directory.</summary>
    bool NeedsFiles => true;

    /// <summary>Where its models can run besides the CPU; asked once a load.</summary>
    GpuSupport Gpus => GpuSupport.Never;

    /// <summary>Loads one version of a model. Only the configuration's parameters and file name need be complete yet.</summary>
    /// <exception cref="Inference.InferenceException">The files cannot be loaded; the message says why.</exception>
    ILoadedModel Load(ModelConfig config, string versionDirectory);
}

/// <summary>A loaded version: what the files declare, and where instances come from. Disposed after all of its instances.</summary>
public interface ILoadedModel : IDisposable
{
    /// <summary>What the files themselves declare; null where any inputs and outputs will do.</summary>
    ModelSignature? Signature { get; }

    /// <summary>Whether instances name their outputs themselves; those that the configuration lists come first in an answer.</summary>
    bool HasOpenOutputs => false;

    /// <summary>How often each of a configuration's warm-up samples must at least run.</summary>
    int LeastWarmupRuns => 1;

    /// <summary>Fills in what the files say of the model beyond tensors, where the configuration is silent.</summary>
    void Complete(Protocol.ModelConfig config)
    {
    }

    /// <summary>Bytes that it holds in the memory of devices, where that can be known. May be asked while it runs.</summary>
    IEnumerable<(Device Device, long Bytes)> MemoryUse() => [];

    /// <summary>
    /// Makes one instance for the complete configuration, to run on one of its devices: an <see cref="IModelInstance"/>, or an <see cref="IAsyncInstance"/>,
    /// an <see cref="IStreamingInstance"/> or both of these.
    /// </summary>
    IDisposable CreateInstance(ModelConfig config, Device device);
}

/// <summary>Executes one batch at a time, on one thread at a time.</summary>
public interface IModelInstance : IDisposable
{
    /// <summary>Memory from which its device copies faster than from the process's own, to gather batches in; null where there is none.</summary>
    MemoryPool<byte>? InputMemory => null;

    /// <summary>Whether <see cref="Execute"/> may be called on any thread, one at a time; otherwise it always is on the thread that prepared it.</summary>
    bool RunsOnAnyThread => false;

    /// <summary>Called once, on the thread that will execute, before the model serves: for what the first executions cost beyond the others. What it throws fails the load.</summary>
    void Prepare()
    {
    }

    /// <summary>
    /// A function from tensors to tensors. Inputs come in the configuration's order and stay the caller's; the returned set is the
    /// caller's to dispose. Rows of all tensors correspond along the first dimension when the model batches.
    /// </summary>
    /// <exception cref="Inference.InferenceException">The execution failed; the message says why. A permanent error makes the host exit.</exception>
    TensorSet Execute(TensorSet inputs, CancellationToken cancellation);
}

/// <summary>Answers batches without holding a thread while it waits; many batches may run at once. It sees whole requests.</summary>
public interface IAsyncInstance : IDisposable
{
    /// <summary>One answer a request, in their order. What it throws is the answer of all of them.</summary>
    ValueTask<AsyncResult[]> ExecuteAsync(IReadOnlyList<AsyncRequest> batch, CancellationToken cancellation);
}

/// <summary>A request as an asynchronous instance sees it.</summary>
/// <param name="Request">Its id, parameters and the like; not its inputs, which may be gone once the client is.</param>
/// <param name="Inputs">Its inputs, which stay valid until the execution returns.</param>
/// <param name="Cancellation">Cancelled when nobody waits for this answer any more.</param>
public readonly record struct AsyncRequest(InferenceRequest Request, TensorSet Inputs, CancellationToken Cancellation);

/// <summary>An answer: outputs, which are the caller's to dispose, or an error.</summary>
public readonly record struct AsyncResult(TensorSet? Outputs, InferenceError? Error);

/// <summary>Answers one request with any number of responses (decoupled); many may run at once.</summary>
public interface IStreamingInstance : IDisposable
{
    /// <summary>Each set is the caller's to dispose; the request and its inputs stay valid until the enumeration ends.</summary>
    IAsyncEnumerable<TensorSet> ExecuteAsync(InferenceRequest request, CancellationToken cancellation);
}
