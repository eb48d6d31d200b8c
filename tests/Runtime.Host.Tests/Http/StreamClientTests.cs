using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Text;
using Runtime.Backends;
using Runtime.Devices;
using Runtime.Host.Http;
using Runtime.Inference;
using Runtime.Models;
using Runtime.Tensors;
using HostOptions = Runtime.Host.Options.HostOptions;

namespace Runtime.Host.Tests.Http;

/// <summary>Streams whose clients stall, vanish or never read, on real sockets.</summary>
[Collection("pool")]
public sealed class StreamClientTests : IDisposable
{
    private const int PieceSize = 64 << 10;
    private const int MostPieces = 20_000;

    private readonly long _lent = TensorPool.Shared.Outstanding;
    private readonly Producer _producer = new();

    public void Dispose() => Assert.Equal(_lent, TensorPool.Shared.Outstanding);

    [Fact]
    public async Task Stream_ClientVanishes_EndsTheProducer()
    {
        using var model = Model();
        await using var server = await StartAsync(model);
        using (var client = await AskAsync(server))
        {
            await client.ReceiveAsync(new byte[1]);
            client.Close(0); // a reset, as of a client that was killed
        }

        await _producer.Ended;
    }

    [Fact]
    public async Task Stream_ClientThatNeverReads_StopsTheProducerUntilItReads()
    {
        using var model = Model();
        await using var server = await StartAsync(model);
        using var client = await AskAsync(server);
        await client.ReceiveAsync(new byte[1]);

        // Another connection is served meanwhile, and each of its answers leaves the producer time to run ahead.
        using var other = await AskAsync(server);
        var buffer = new byte[1 << 20];
        for (var received = 0; received < 200 * PieceSize;)
        {
            received += await other.ReceiveAsync(buffer);
        }

        var ahead = _producer.Counts[0];
        Assert.InRange(ahead, 1, MostPieces / 4);
        for (var received = 0; _producer.Counts[0] < ahead + 200; received += await client.ReceiveAsync(buffer))
        {
            Assert.True(received < MostPieces * (PieceSize + 64));
        }

        client.Close(0);
        other.Close(0);
        await _producer.Ended;
        await _producer.Ended;
    }

    private Model Model()
    {
        var config = """{"name":"m","input":[{"name":"IN","dataType":"TYPE_INT32","dims":[1]}],"output":[{"name":"OUT","dataType":"TYPE_STRING","dims":[1]}],"modelTransactionPolicy":{"decoupled":true}}""";
        return new Model(ModelConfig.From(Runtime.Models.Configuration.ModelConfigJson.Parse(config, "test")), 1, _producer, new Dictionary<string, string[]>(), TimeProvider.System);
    }

    private static Task<LocalServer> StartAsync(Model model)
    {
        var endpoint = new GenerateEndpoint(null!, new HostOptions(), null!);
        return LocalServer.StartAsync(context => endpoint.ServeAsync(context, model, GenerateForm.Streaming));
    }

    private static async Task<Socket> AskAsync(LocalServer server)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = PieceSize };
        await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, server.Client.BaseAddress!.Port));
        const string Body = "{\"IN\":1}";
        await socket.SendAsync(Encoding.ASCII.GetBytes($"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {Body.Length}\r\n\r\n{Body}"));
        return socket;
    }

    /// <summary>Streams large pieces as fast as they are taken.</summary>
    private sealed class Producer : ILoadedModel, IStreamingInstance
    {
        private readonly SemaphoreSlim _ended = new(0);
        private int _streams = -1;

        public int[] Counts { get; } = new int[2];

        /// <summary>Ends once for each stream that was ended.</summary>
        public Task Ended => _ended.WaitAsync();

        public ModelSignature? Signature => null;

        public IDisposable CreateInstance(ModelConfig config, Device device) => this;

        public async IAsyncEnumerable<TensorSet> ExecuteAsync(InferenceRequest request, [EnumeratorCancellation] CancellationToken cancellation)
        {
            var stream = Interlocked.Increment(ref _streams);
            try
            {
                for (var i = 0; i < MostPieces; i++)
                {
                    await Task.Yield();
                    cancellation.ThrowIfCancellationRequested();
                    Volatile.Write(ref Counts[stream], i + 1);
                    var piece = new TensorSet();
                    piece.Rent("OUT", DataType.Bytes, [1], 4 + PieceSize, out var text);
                    BitConverter.TryWriteBytes(text.Span, PieceSize);
                    text.Span[4..].Fill((byte)'x');
                    yield return piece;
                }
            }
            finally
            {
                _ended.Release();
            }
        }

        public void Dispose()
        {
        }
    }
}
