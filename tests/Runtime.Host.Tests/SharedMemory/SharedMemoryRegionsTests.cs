using Runtime.Devices;
using Runtime.Host.SharedMemory;
using Runtime.Inference;
using Runtime.Tests.Native;

namespace Runtime.Host.Tests.SharedMemory;

public sealed class SharedMemoryRegionsTests : IDisposable
{
    private readonly string _key = "regions-test-" + Guid.NewGuid().ToString("N");
    private readonly SharedMemoryRegions _regions = new(allowed: true);

    public SharedMemoryRegionsTests() => File.WriteAllBytes(ObjectPath, [.. Enumerable.Range(0, 8192).Select(i => (byte)(i % 251))]);

    private string ObjectPath => "/dev/shm/" + _key;

    public void Dispose()
    {
        _regions.Dispose();
        File.Delete(ObjectPath);
    }

    [Theory]
    [InlineData("/")]
    [InlineData("")]
    public void TryRegister_KeyWithOrWithoutSlash_MapsTheBytes(string slash)
    {
        Assert.Null(_regions.TryRegister(new("r", slash + _key, 4096, 128)));
        Assert.Null(_regions.TryMap("r", 8, 16, out var lease));

        using (lease)
        {
            Assert.Equal(File.ReadAllBytes(ObjectPath)[4104..4120], lease!.Memory.ToArray());
            lease.Memory.Span[0] = 77;
        }

        Assert.Equal(77, File.ReadAllBytes(ObjectPath)[4104]);
    }

    [Theory]
    [InlineData(0UL, 8193UL, "invalid args")]
    [InlineData(8192UL, 1UL, "invalid args")]
    [InlineData(10000UL, 1UL, "invalid args")]
    [InlineData(4096UL, ulong.MaxValue, "invalid args")]
    [InlineData(ulong.MaxValue, 4096UL, "invalid args")]
    [InlineData(0UL, 0UL, "unable to process address space")]
    [InlineData(128UL, 128UL, "unable to process address space")]
    public void TryRegister_OutsideOrUnaligned_IsRefused(ulong offset, ulong byteSize, string reason)
    {
        var error = _regions.TryRegister(new("r", _key, offset, byteSize));

        Assert.Equal(ErrorCode.InvalidArgument, error?.Code);
        Assert.Contains($"failed to register shared memory region 'r': {reason}", error?.Message, StringComparison.Ordinal);
        Assert.Null(_regions.TryList("", out var left));
        Assert.Empty(left);
    }

    [Theory]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("..")]
    [InlineData("/..")]
    [InlineData("//{0}")]
    [InlineData("../shm/{0}")]
    [InlineData("./{0}")]
    [InlineData("{0}/")]
    [InlineData("{0}\0")]
    [InlineData("{0}-none")]
    public void TryRegister_KeyThatIsNoObject_IsRefused(string key)
    {
        var error = _regions.TryRegister(new("r", string.Format(null, key, _key), 0, 1));

        Assert.Equal(ErrorCode.InvalidArgument, error?.Code);
        Assert.StartsWith("Unable to open shared memory region: '", error?.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TryRegister_SymbolicLink_IsRefused()
    {
        var link = ObjectPath + "-link";
        File.CreateSymbolicLink(link, ObjectPath);
        try
        {
            Assert.NotNull(_regions.TryRegister(new("r", _key + "-link", 0, 1)));
        }
        finally
        {
            File.Delete(link);
        }
    }

    [Fact]
    public void TryRegister_NameThatIsThere_IsRefused()
    {
        Assert.Null(_regions.TryRegister(new("r", _key, 0, 128)));

        Assert.Equal("shared memory region 'r' already in manager", _regions.TryRegister(new("r", _key, 0, 128))?.Message);
    }

    [Fact]
    public void TryRegister_NotAllowed_IsUnsupported()
    {
        using var regions = new SharedMemoryRegions(allowed: false);

        Assert.Equal(ErrorCode.Unsupported, regions.TryRegister(new("r", _key, 0, 128))?.Code);
        Assert.Equal(ErrorCode.Unsupported, regions.TryUnregister("")?.Code);
        Assert.Equal(ErrorCode.NotFound, regions.TryMap("r", 0, 1, out _)?.Code);
    }

    [Theory]
    [InlineData(100UL, 64UL)]
    [InlineData(129UL, 0UL)]
    [InlineData(ulong.MaxValue, 2UL)]
    [InlineData(0UL, ulong.MaxValue)]
    public void TryMap_OutsideTheRegion_IsRefused(ulong offset, ulong byteSize)
    {
        Assert.Null(_regions.TryRegister(new("r", _key, 0, 128)));

        var error = _regions.TryMap("r", offset, byteSize, out var lease);

        Assert.StartsWith("Invalid offset + byte size for shared memory region: 'r'", error?.Message, StringComparison.Ordinal);
        Assert.Null(lease);
    }

    [Fact]
    public void TryMap_ObjectHasShrunk_IsRefused()
    {
        Assert.Null(_regions.TryRegister(new("r", _key, 4096, 4096)));
        using (var file = File.OpenWrite(ObjectPath))
        {
            file.SetLength(4096);
        }

        Assert.Contains("shrunk", _regions.TryMap("r", 0, 1, out _)?.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TryUnregister_RegionInUse_StaysMappedUntilTheLeaseIsDisposed()
    {
        Assert.Null(_regions.TryRegister(new("r", _key, 4096, 4096)));
        Assert.Null(_regions.TryMap("r", 0, 4096, out var lease));
        var memory = lease!.Memory;

        Assert.Null(_regions.TryUnregister("r"));

        Assert.Equal(ErrorCode.NotFound, _regions.TryMap("r", 0, 1, out _)?.Code);
        Assert.Equal(File.ReadAllBytes(ObjectPath)[4096..], memory.ToArray());
        Assert.Equal(1, Mappings());
        lease.Dispose();
        lease.Dispose();
        Assert.Equal(0, Mappings());
        Assert.Throws<ObjectDisposedException>(() => memory.Span[0]);
    }

    [Fact]
    public void TryUnregister_NoName_ForgetsAll()
    {
        Assert.Null(_regions.TryRegister(new("b", _key, 0, 128)));
        Assert.Null(_regions.TryRegister(new("a", _key, 4096, 128)));
        Assert.Null(_regions.TryList("", out var all));
        Assert.Equal(["a", "b"], all.Select(region => region.Name));
        Assert.Null(_regions.TryList("b", out var one));
        Assert.Equal(new SharedMemoryRegion("b", _key, 0, 128), Assert.Single(one));

        Assert.Null(_regions.TryUnregister("none"));
        Assert.Null(_regions.TryUnregister(""));

        Assert.Equal("Unable to find system shared memory region: 'b'", _regions.TryList("b", out _)?.Message);
        Assert.Equal(0, Mappings());
    }

    [FakeCudaFact]
    public void TryRegister_NameOfTheOtherKind_IsTaken()
    {
        using var cuda = new FakeCuda();
        var device = cuda.First();
        using var memory = (IDisposable)device.Allocate(16);
        byte[] handle = [.. BitConverter.GetBytes((long)((CudaMemory)memory).Address), .. new byte[56]];
        using var regions = new SharedMemoryRegions(allowed: true, cuda.Open);
        Assert.Null(regions.TryRegister(new SharedMemoryRegion("system", _key, 0, 128)));
        Assert.Null(regions.TryRegister(new CudaMemoryRegion("cuda", 1, 16), handle));

        Assert.Equal("shared memory region 'system' already in manager", regions.TryRegister(new CudaMemoryRegion("system", 0, 16), handle)?.Message);
        Assert.Equal("shared memory region 'cuda' already in manager", regions.TryRegister(new SharedMemoryRegion("cuda", _key, 0, 128))?.Message);
        Assert.Equal("The region named 'system' is registered as system shared memory, not CUDA shared memory", regions.TryListCuda("system", out _)?.Message);
        Assert.Equal("The region named 'cuda' is registered as CUDA shared memory, not system shared memory", regions.TryList("cuda", out _)?.Message);

        // Each kind forgets its own.
        Assert.Null(regions.TryUnregister("cuda"));
        Assert.Null(regions.TryUnregisterCuda(""));
        Assert.Null(regions.TryListCuda("", out var none));
        Assert.Empty(none);
        Assert.Null(regions.TryList("system", out _));
        Assert.Equal(0, cuda.OpenHandles);
    }

    private int Mappings() => File.ReadLines("/proc/self/maps").Count(line => line.Contains(_key, StringComparison.Ordinal));
}
