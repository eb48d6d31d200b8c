using System.Net;
using System.Net.Sockets;
using System.Text;
using BenchmarkDotNet.Attributes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;
using Runtime.Backends;
using Runtime.Devices;
using Runtime.Host.Http;
using Runtime.Host.Options;
using Runtime.Host.SharedMemory;
using Runtime.Models;
using Runtime.Tensors;

namespace Runtime.Benchmarks;

/// <summary>One request with two tensors of sixteen integers through Kestrel and a model that does nothing: what a request costs and allocates in all.</summary>
[MemoryDiagnoser]
public class InferServerBenchmarks : ILoadedModel
{
    private readonly Socket _client = new(SocketType.Stream, ProtocolType.Tcp);
    private readonly byte[] _answer = new byte[4096];
    private byte[] _request = [];
    private WebApplication? _server;
    private Model? _model;

    public ModelSignature? Signature => null;

    [GlobalSetup]
    public async Task Setup()
    {
        var message = new Protocol.ModelConfig { Name = "simple", MaxBatchSize = 8 };
        foreach (var index in new[] { 0, 1 })
        {
            message.Input.Add(new Protocol.ModelInput { Name = $"INPUT{index}", DataType = Protocol.DataType.TypeInt32, Dims = { 16 } });
            message.Output.Add(new Protocol.ModelOutput { Name = $"OUTPUT{index}", DataType = Protocol.DataType.TypeInt32, Dims = { 16 } });
        }

        _model = new Model(ModelConfig.From(message), 1, this, new Dictionary<string, string[]>(), TimeProvider.System);
        var endpoint = new InferEndpoint(null!, new HostOptions(), new SharedMemoryRegions(), null!);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(options => options.Listen(IPAddress.Loopback, 0));
        _server = builder.Build();
        _server.Run(context => endpoint.ServeAsync(context, _model));
        await _server.StartAsync();
        const string Data = "[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15]";
        var body = $$"""{"inputs":[{"name":"INPUT0","shape":[1,16],"datatype":"INT32","data":{{Data}}},{"name":"INPUT1","shape":[1,16],"datatype":"INT32","data":{{Data}}}]}""";
        _request = Encoding.ASCII.GetBytes($"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n{body}");
        _client.Connect(IPAddress.Loopback, new Uri(_server.Urls.First()).Port);
    }

    [Benchmark]
    public int Infer()
    {
        _client.Send(_request);
        var received = 0;
        do
        {
            received += _client.Receive(_answer.AsSpan(received));
        }
        while (!_answer.AsSpan(0, received).EndsWith("]}]}"u8));

        return received;
    }

    [GlobalCleanup]
    public void Dispose()
    {
        _client.Dispose();
        _server?.StopAsync().GetAwaiter().GetResult();
        GC.SuppressFinalize(this);
    }

    public IDisposable CreateInstance(ModelConfig config, Device device) => new Instance();

    private sealed class Instance : IModelInstance
    {
        public TensorSet Execute(TensorSet inputs, CancellationToken cancellation)
        {
            var outputs = new TensorSet();
            for (var i = 0; i < inputs.Count; i++)
            {
                outputs.Rent(i == 0 ? "OUTPUT0" : "OUTPUT1", inputs[i].Type, inputs[i].Shape, inputs[i].Data.Length, out var memory);
                inputs[i].Data.CopyTo(memory);
            }

            return outputs;
        }

        public void Dispose()
        {
        }
    }
}
