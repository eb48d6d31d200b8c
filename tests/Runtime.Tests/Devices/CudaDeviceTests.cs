using Runtime.Devices;
using Runtime.Inference;
using Runtime.Tests.Native;

namespace Runtime.Tests.Devices;

public class CudaDeviceTests
{
    [Fact]
    public void All_NoDriver_SaysSo()
    {
        var devices = new CudaDevices("libno_such_driver.so.1");

        Assert.Empty(devices.All);
        Assert.Equal("there is no NVIDIA driver (libno_such_driver.so.1)", devices.WhyNone);
        Assert.Null(devices.Find(0));
    }

    [FakeCudaFact]
    public void All_TwoGpus_AreNumberedNamedAndMeasuredWithoutAContext()
    {
        using var cuda = new FakeCuda();
        var devices = cuda.Open();

        Assert.Equal(["Fake GPU 0", "Fake GPU 1"], devices.All.Select(device => device.Name));
        Assert.Equal("GPU-10111213-1415-1617-1819-1a1b1c1d1e1f", devices.Find(1)!.Uuid);
        Assert.Equal(8L << 30, devices.Find(1)!.TotalBytes);
        Assert.Equal(new Device(1), devices.Find(1)!.Device);
        Assert.Equal(0, cuda.Contexts);
        Assert.Null(devices.Find(2));
    }

    [FakeCudaFact]
    public void All_NoGpu_SaysSo()
    {
        using var cuda = new FakeCuda();
        cuda.SetDevices(0);

        Assert.Equal("CUDA reports no device", cuda.Open().WhyNone);
    }

    [FakeCudaFact]
    public void All_DriverDoesNotStart_SaysWhatCudaSays()
    {
        using var cuda = new FakeCuda();
        cuda.Fail("cuInit", 803);

        Assert.Equal(
            "the NVIDIA driver does not start: CUDA_ERROR_SYSTEM_DRIVER_MISMATCH (system has unsupported display driver / cuda driver combination)",
            cuda.Open().WhyNone);
    }

    [FakeCudaFact]
    public void Allocate_CopiedToAndRead_HasTheBytesAndOneHostCopy()
    {
        using var cuda = new FakeCuda();
        var device = cuda.First();
        using IDisposable owner = device.Allocate(5);
        var memory = (CudaMemory)owner;
        device.CopyToDevice([1, 2, 3, 4, 5], memory.Address);

        Assert.Equal([1, 2, 3, 4, 5], memory.Memory.ToArray());
        Assert.Equal([3, 4], memory.Memory.Slice(2, 2).ToArray());
        Assert.Equal(2, cuda.Copies);
        Assert.Equal(1, cuda.PageLockedBlocks);
        Assert.Equal(3L << 30, device.FreeBytes);
        Assert.Equal(0, cuda.Depth);
    }

    [FakeCudaFact]
    public void TryGet_SliceOfDeviceMemory_TellsPlaceAndCopiesNothing()
    {
        using var cuda = new FakeCuda();
        using IDisposable owner = cuda.First().Allocate(100);

        var found = DeviceMemory.TryGet(((CudaMemory)owner).Memory.Slice(10, 20), out var start, out var length);

        Assert.Same(owner, found);
        Assert.Equal((10, 20), (start, length));
        Assert.Equal(0, cuda.Copies);
        Assert.Null(DeviceMemory.TryGet(new byte[3], out _, out _));
    }

    [FakeCudaFact]
    public void Dispose_TwiceThenTrim_FreesOnce()
    {
        using var cuda = new FakeCuda();
        var device = cuda.First();
        IDisposable memory = device.Allocate(5000);
        memory.Dispose();
        memory.Dispose();
        using (device.Allocate(5000))
        {
            Assert.Equal(1, cuda.DeviceBlocks);
        }

        device.Trim();
        Assert.Equal(0, cuda.DeviceBlocks);
    }

    [FakeCudaFact]
    public void Read_Disposed_Throws()
    {
        using var cuda = new FakeCuda();
        var memory = cuda.First().Allocate(5);
        ((IDisposable)memory).Dispose();

        Assert.Throws<ObjectDisposedException>(memory.CopyToHost);
    }

    [FakeCudaFact]
    public void Allocate_OutOfMemory_FailsTheRequestAfterGivingUpWhatIsKept()
    {
        using var cuda = new FakeCuda();
        var device = cuda.First();
        ((IDisposable)device.Allocate(5000)).Dispose();
        cuda.Fail("cuMemAlloc_v2", 2);
        using (device.Allocate(9000))
        {
            Assert.Equal(1, cuda.DeviceBlocks);
        }

        device.Trim();
        cuda.Fail("cuMemAlloc_v2", 2, times: 2);
        var error = Assert.Throws<InferenceException>(() => device.Allocate(7000)).Error;

        Assert.Equal("GPU 0: allocating 7168 bytes of its memory failed: CUDA_ERROR_OUT_OF_MEMORY (out of memory)", error.Message);
        Assert.Equal(ErrorCode.Unavailable, error.Code);
        Assert.False(error.IsPermanent);
    }

    [FakeCudaFact]
    public void Copy_IllegalAddress_IsPermanentAndLeavesTheThreadAsItWas()
    {
        using var cuda = new FakeCuda();
        var device = cuda.First();
        using IDisposable owner = device.Allocate(8);
        cuda.Fail("cuStreamSynchronize", 700);

        var error = Assert.Throws<InferenceException>(() => device.CopyToDevice([1], ((CudaMemory)owner).Address)).Error;

        Assert.Equal("GPU 0: copying failed: CUDA_ERROR_ILLEGAL_ADDRESS (an illegal memory access was encountered)", error.Message);
        Assert.Equal(ErrorCode.Internal, error.Code);
        Assert.True(error.IsPermanent);
        Assert.Equal(0, cuda.Depth);
    }

    [FakeCudaFact]
    public void PageLocked_NoPagesLeft_LendsOrdinaryMemory()
    {
        using var cuda = new FakeCuda();
        var device = cuda.First();
        cuda.Fail("cuMemHostAlloc", 2);

        using var memory = device.PageLocked.Rent(100);

        Assert.Equal(100, memory.Memory.Length);
        Assert.Equal(0, cuda.PageLockedBlocks);
    }

    [FakeCudaFact]
    public void OpenShared_Handle_ShowsTheOtherMemoryUntilDisposed()
    {
        using var cuda = new FakeCuda();
        var device = cuda.First();
        using IDisposable other = device.Allocate(4);
        device.CopyToDevice([9, 8, 7, 6], ((CudaMemory)other).Address);
        var handle = new byte[64];
        BitConverter.TryWriteBytes(handle, ((CudaMemory)other).Address);

        using (var shared = device.OpenShared(handle, 4))
        using (IDisposable slice = shared.Slice(1, 3))
        {
            Assert.Equal([8, 7, 6], ((CudaMemory)slice).Memory.ToArray());
            ((CudaMemory)slice).Write(((CudaMemory)other).Memory[..2]);
            ((CudaMemory)slice).Write(new byte[] { 5 });
            var now = new byte[4];
            device.CopyToHost(((CudaMemory)other).Address, now);
            Assert.Equal([9, 5, 8, 6], now);
            Assert.Equal(1, cuda.OpenHandles);
        }

        Assert.Equal(0, cuda.OpenHandles);
        Assert.Contains("byte size 1000000 does not fit the ", Assert.Throws<InferenceException>(() => device.OpenShared(handle, 1_000_000)).Message, StringComparison.Ordinal);
        Assert.Throws<InferenceException>(() => device.OpenShared(handle, 0));
        Assert.Equal(0, cuda.OpenHandles);
        Assert.Equal("a CUDA memory handle has 64 bytes, got 3", Assert.Throws<InferenceException>(() => device.OpenShared(new byte[3], 4)).Message);
    }

    [Theory]
    [InlineData("CUDA failure 700: an illegal memory access was encountered ; GPU=0 (cudaErrorIllegalAddress)", true)]
    [InlineData("CUDA_ERROR_LAUNCH_FAILED", true)]
    [InlineData("cudaErrorMemoryAllocation: out of memory", false)]
    public void NamesSticky_Message_ByCudasNames(string message, bool expected) => Assert.Equal(expected, CudaErrors.NamesSticky(message));

    [Theory]
    [InlineData(1, 4096)]
    [InlineData(4096, 4096)]
    [InlineData(4097, 5120)]
    [InlineData(8192, 8192)]
    [InlineData(8193, 10240)]
    [InlineData((1L << 31) - 57, 1L << 31)]
    public void SizeFor_Length_IsTheNextQuarter(long length, long size) => Assert.Equal(size, BlockPool.SizeFor(length));
}
