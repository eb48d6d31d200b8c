using System.Buffers;
using Runtime.Inference;
using Runtime.Scheduling;
using Runtime.Tensors;
using Runtime.Tests.Models;
using Runtime.Tests.Native;

namespace Runtime.Tests.Devices;

public class DeviceGatherTests
{
    private readonly HeapDevice _first = new(0);
    private readonly HeapDevice _second = new(1);

    [Fact]
    public void Gather_WithAPool_TakesTheBatchsMemoryFromIt()
    {
        using var pool = new CountingPool();
        using (var gathered = Gather(pool, TestModels.Request(1, 2), TestModels.Request(3, 4)))
        {
            Assert.Equal([1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0], gathered[0].Data.ToArray());
            Assert.Equal([2, 2], gathered[0].Shape);
            Assert.Equal(1, pool.Lent);
        }

        Assert.Equal(0, pool.Lent);
    }

    [Fact]
    public void Gather_StringsWithAPool_AreNotTakenFromIt()
    {
        using var pool = new CountingPool();
        using var gathered = Gather(pool, Strings(), Strings());

        Assert.Equal(10, gathered[0].Data.Length);
        Assert.Equal(0, pool.Lent);
    }

    [Fact]
    public void Gather_AllOnOneDevice_JoinsThemThere()
    {
        using (var gathered = Gather(null, On(_first, 1, 2), On(_first, 3)))
        {
            Assert.Equal((1, 0), (_first.Joins, _first.HostCopies));
            Assert.Equal([3], gathered[0].Shape);
            Assert.Equal([1, 2, 3], gathered[0].Data.ToArray());
        }

        Assert.Equal(0, _first.Living);
    }

    [Fact]
    public void Gather_OnTwoDevices_GoesThroughTheHost()
    {
        using var gathered = Gather(null, On(_first, 1), On(_second, 2));

        Assert.Equal((0, 1, 1), (_first.Joins, _first.HostCopies, _second.HostCopies));
        Assert.Equal([1, 2], gathered[0].Data.ToArray());
    }

    [Fact]
    public void Gather_OneInHostMemory_GoesThroughTheHost()
    {
        using var gathered = Gather(null, On(_first, 1), OnHost(2));

        Assert.Equal((0, 1), (_first.Joins, _first.HostCopies));
        Assert.Equal([1, 2], gathered[0].Data.ToArray());
    }

    [Fact]
    public void Gather_DeviceRefuses_LeavesNothingBehind()
    {
        _first.IsBroken = true;

        Assert.Throws<InferenceException>(() => Gather(null, On(_first, 1), OnHost(2)));
        Assert.Equal(0, _first.Living);
    }

    [Theory]
    [InlineData(true, true, true)]
    [InlineData(true, false, false)]
    public void Gather_DeviceOutputs_AreAllowedWhereAllAllowThem(bool first, bool second, bool expected)
    {
        var requests = new[] { TestModels.Request(1), TestModels.Request(2) };
        (requests[0].Inputs.AllowsDeviceOutputs, requests[1].Inputs.AllowsDeviceOutputs) = (first, second);

        using var gathered = Gather(null, requests);

        Assert.Equal(expected, gathered.AllowsDeviceOutputs);
    }

    [FakeCudaFact]
    public void Gather_SlicesOfCudaMemory_AreJoinedOnTheGpu()
    {
        using var cuda = new FakeCuda();
        var device = cuda.First();
        using (IDisposable owner = device.Allocate(6))
        {
            var memory = (Runtime.Devices.CudaMemory)owner;
            device.CopyToDevice([1, 2, 3, 4, 5, 6], memory.Address);
            using var gathered = Gather(null, Of(memory.Memory[..1]), Of(memory.Memory[3..]));

            Assert.Equal([1, 4, 5, 6], gathered[0].Data.ToArray());
            Assert.Equal((2, 1), (cuda.DeviceBlocks, cuda.PageLockedBlocks));
        }

        device.Trim();
        Assert.Equal((0, 0), (cuda.DeviceBlocks, cuda.PageLockedBlocks));
    }

    private static TensorSet Gather(MemoryPool<byte>? pool, params InferenceRequest[] requests)
    {
        try
        {
            return Batch.Gather([.. requests.Select(request => new PendingRequest(request, 1, default))], pool);
        }
        finally
        {
            Array.ForEach(requests, request => request.Dispose());
        }
    }

    private static InferenceRequest On(HeapDevice device, params byte[] bytes)
    {
        var memory = device.Allocate(bytes);
        var request = new InferenceRequest();
        request.Inputs.Add(new Tensor("X", DataType.Uint8, [bytes.Length], memory.Memory), memory);
        return request;
    }

    private static InferenceRequest OnHost(params byte[] bytes) => Of(bytes);

    private static InferenceRequest Of(ReadOnlyMemory<byte> bytes)
    {
        var request = new InferenceRequest();
        request.Inputs.Add(new Tensor("X", DataType.Uint8, [bytes.Length], bytes));
        return request;
    }

    private static InferenceRequest Strings()
    {
        var request = new InferenceRequest();
        request.Inputs.Add(new Tensor("X", DataType.Bytes, [1], new byte[] { 1, 0, 0, 0, 65 }));
        return request;
    }

    private sealed class CountingPool : MemoryPool<byte>
    {
        public int Lent;

        public override int MaxBufferSize => 100;

        public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
        {
            Lent++;
            return new Owner(this, minBufferSize + 3);
        }

        protected override void Dispose(bool disposing)
        {
        }

        private sealed class Owner(CountingPool pool, int length) : IMemoryOwner<byte>
        {
            public Memory<byte> Memory { get; } = new byte[length];

            public void Dispose() => pool.Lent--;
        }
    }
}
