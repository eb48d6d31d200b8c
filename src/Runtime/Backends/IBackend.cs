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

    /// <summary>Loads one version of a model. Only the configuration's parameters and file name need be complete yet.</summary>
    /// <exception cref="Inference.InferenceException">The files cannot be loaded; the message says why.</exception>
    ILoadedModel Load(ModelConfig config, string versionDirectory);
}

/// <summary>A loaded version: what the files declare, and where instances come from. Disposed after all of its instances.</summary>
public interface ILoadedModel : IDisposable
{
    /// <summary>What the files themselves declare; null where any inputs and outputs will do.</summary>
    ModelSignature? Signature { get; }

    /// <summary>Makes one instance for the complete configuration: an <see cref="IModelInstance"/> or an <see cref="IStreamingInstance"/>.</summary>
    IDisposable CreateInstance(ModelConfig config);
}

/// <summary>Executes one batch at a time, on one thread at a time.</summary>
public interface IModelInstance : IDisposable
{
    /// <summary>
    /// A function from tensors to tensors. Inputs keep their order of arrival and stay the caller's; the returned set is the
    /// caller's to dispose. Rows of all tensors correspond along the first dimension when the model batches.
    /// </summary>
    /// <exception cref="Inference.InferenceException">The execution failed; the message says why. A permanent error makes the host exit.</exception>
    TensorSet Execute(TensorSet inputs, CancellationToken cancellation);
}

/// <summary>Answers one request with any number of responses (decoupled); many may run at once.</summary>
public interface IStreamingInstance : IDisposable
{
    /// <summary>Each set is the caller's to dispose; the inputs stay valid until the enumeration ends.</summary>
    IAsyncEnumerable<TensorSet> ExecuteAsync(TensorSet inputs, CancellationToken cancellation);
}
