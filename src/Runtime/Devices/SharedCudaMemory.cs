namespace Runtime.Devices;

/// <summary>Memory of a GPU that another process shares, open until this is disposed.</summary>
public sealed class SharedCudaMemory : IDisposable
{
    private readonly CudaDevice _device;
    private readonly nint _address;
    private IDisposable? _handle;

    internal SharedCudaMemory(CudaDevice device, nint address, IDisposable handle) => (_device, _address, _handle) = (device, address, handle);

    /// <summary>A piece of it, as it is when it is read; whoever takes it keeps this open until then.</summary>
    /// <param name="offset">Where it begins.</param>
    /// <param name="length">Its bytes, all inside.</param>
    /// <param name="owner">What is disposed with the piece.</param>
    public CudaMemory Slice(long offset, int length, IDisposable? owner = null) => new(_device, _address + (nint)offset, length, owner) { IsForeign = true };

    public void Dispose() => Interlocked.Exchange(ref _handle, null)?.Dispose();
}
