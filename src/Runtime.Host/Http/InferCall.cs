using Runtime.Host.Nvcf;
using Runtime.Host.SharedMemory;
using Runtime.Inference;
using Runtime.Models;

namespace Runtime.Host.Http;

/// <summary>How the client wants to get an output: as JSON, behind the JSON as bytes, or in shared memory.</summary>
internal sealed class OutputDelivery(string name) : IDisposable
{
    public string Name { get; } = name;

    public bool IsBinary { get; set; }

    /// <summary>Where the output goes, if it goes to shared memory.</summary>
    public IRegionLease? Region { get; set; }

    public void Dispose() => Region?.Dispose();
}

/// <summary>What one HTTP request asks for: the inference, and how its answer is to be written. Disposes both.</summary>
internal sealed class InferCall : IDisposable
{
    public InferenceRequest Request { get; } = new();

    /// <summary>The platform's part of the request; null for one that did not come through it.</summary>
    public NvcfRequest? Nvcf { get; private init; }

    /// <summary>Whether inputs were said to be assets, rightly or not.</summary>
    public bool NamesAssets => Nvcf?.Assets is { AreNamed: true };

    /// <summary>How outputs that the request does not list are delivered.</summary>
    public bool IsBinaryByDefault { get; set; }

    /// <summary>The outputs that the request lists; null for none.</summary>
    public List<OutputDelivery>? Deliveries { get; set; }

    /// <summary>Inputs that follow the JSON, in order.</summary>
    public List<BinaryInput>? BinaryInputs { get; set; }

    /// <summary>A call to be filled, which takes the platform's part over.</summary>
    public static InferCall Begin(NvcfRequest? nvcf) => new() { Nvcf = nvcf, Request = { Context = nvcf?.Context } };

    /// <summary>Lets outputs stay on a GPU where all that are asked for go to regions there; called once all of them are read.</summary>
    public void AllowDeviceOutputs(ModelConfig model)
        => Request.Inputs.AllowsDeviceOutputs = Deliveries is { Count: > 0 } deliveries && model.MayAnswerOnDevice && deliveries.TrueForAll(static delivery => delivery.Region?.Gpu is not null);

    /// <summary>How an output is delivered; null for the default.</summary>
    public OutputDelivery? Delivery(string output) => Deliveries?.Find(delivery => delivery.Name == output);

    public void Dispose()
    {
        Nvcf?.Dispose();
        Request.Dispose();
        Deliveries?.ForEach(static delivery => delivery.Dispose());
    }
}

/// <summary>The memory of an input whose bytes follow the JSON.</summary>
internal readonly record struct BinaryInput(string Name, Memory<byte> Memory);
