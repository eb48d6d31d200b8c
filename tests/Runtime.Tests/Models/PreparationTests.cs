using Runtime.Backends;
using Runtime.Devices;
using Runtime.Inference;
using Runtime.Models;
using Runtime.Tensors;

namespace Runtime.Tests.Models;

/// <summary>What an instance does before its model serves.</summary>
public sealed class PreparationTests
{
    [Fact]
    public void Constructor_InstancesToPrepare_ReturnsWhenAllAreOnThreadsOfTheirOwn()
    {
        var loaded = new Loaded(() => { });
        using var model = Create(loaded);
        Assert.Equal(2, loaded.Threads.Distinct().Count());
        Assert.DoesNotContain(Environment.CurrentManagedThreadId, loaded.Threads);
    }

    [Fact]
    public void Constructor_PreparationFails_ThrowsAndFreesEverything()
    {
        var loaded = new Loaded(() => throw new InferenceException(ErrorCode.Internal, "no device"));
        Assert.Equal("no device", Assert.Throws<InferenceException>(() => Create(loaded).Dispose()).Message);
        Assert.Equal(3, loaded.Disposed);
    }

    private static Model Create(Loaded loaded)
    {
        var message = new Protocol.ModelConfig { Name = "m" };
        message.InstanceGroup.Add(new Protocol.ModelInstanceGroup { Name = "m_0", Kind = Protocol.ModelInstanceGroup.Types.Kind.Cpu, Count = 2 });
        return new Model(ModelConfig.From(message), 1, loaded, new Dictionary<string, string[]>(), TimeProvider.System);
    }

    private sealed class Loaded(Action prepare) : ILoadedModel
    {
        private int _disposed;

        public List<int> Threads { get; } = [];

        /// <summary>How often this or an instance was.</summary>
        public int Disposed => _disposed;

        public ModelSignature? Signature => null;

        public IDisposable CreateInstance(ModelConfig config, Device device) => new Instance(this);

        public void Dispose() => Interlocked.Increment(ref _disposed);

        private sealed class Instance(Loaded loaded) : IModelInstance
        {
            public void Prepare()
            {
                lock (loaded.Threads)
                {
                    loaded.Threads.Add(Environment.CurrentManagedThreadId);
                }

                loaded.Prepare();
            }

            public TensorSet Execute(TensorSet inputs, CancellationToken cancellation) => new();

            public void Dispose() => loaded.Dispose();
        }

        private void Prepare() => prepare();
    }
}
