using System.Collections.Concurrent;

namespace Runtime.Devices;

/// <summary>A GPU's primary context, made on first use and never given back, and the streams that copies run on.</summary>
internal sealed unsafe class CudaContext(CudaDriver driver, int handle, Device device)
{
    private const uint NonBlockingStream = 1;

    private readonly ConcurrentBag<nint> _streams = [];
    private readonly Lock _gate = new();
    private nint _context;

    /// <summary>Throws unless a function of the driver succeeded.</summary>
    /// <exception cref="Inference.InferenceException">It did not; the message says what was tried, on which GPU, and what CUDA says.</exception>
    public void Check(int result, string action)
    {
        if (result != CudaDriver.Success)
        {
            throw CudaErrors.Exception(result, driver.Text(result), $"{device}: {action}");
        }
    }

    /// <summary>Makes the context this thread's until the scope is disposed, which leaves the thread as it was.</summary>
    public Scope Enter()
    {
        Check(driver.CtxPushCurrent(Retain()), "entering its context");
        return new Scope(driver);
    }

    /// <summary>Copies on a stream of their own, so that threads do not wait for each other's copies, nor for kernels.</summary>
    public Copies BeginCopies()
    {
        var scope = Enter();
        if (!_streams.TryTake(out var stream))
        {
            var result = driver.StreamCreate(&stream, NonBlockingStream);
            if (result != CudaDriver.Success)
            {
                scope.Dispose();
                Check(result, "making a stream");
            }
        }

        return new Copies(this, scope, stream);
    }

    /// <summary>The context; an attempt that failed may be made again, as where the GPU had no memory left for it.</summary>
    private nint Retain()
    {
        lock (_gate)
        {
            if (_context == 0)
            {
                nint context;
                Check(driver.PrimaryCtxRetain(&context, handle), "starting it");
                _context = context;
            }

            return _context;
        }
    }

    internal readonly ref struct Scope(CudaDriver driver)
    {
        public void Dispose()
        {
            nint context;
            _ = driver.CtxPopCurrent(&context);
        }
    }

    internal readonly ref struct Copies(CudaContext context, Scope scope, nint stream)
    {
        private readonly Scope _scope = scope;

        public nint Stream => stream;

        public void Check(int result) => context.Check(result, "copying");

        /// <summary>Returns when the copies are done.</summary>
        public void Wait() => Check(context.Synchronize(stream));

        public void Dispose()
        {
            context._streams.Add(stream);
            _scope.Dispose();
        }
    }

    private int Synchronize(nint stream) => driver.StreamSynchronize(stream);
}
