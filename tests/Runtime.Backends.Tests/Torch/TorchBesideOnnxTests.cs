using Runtime.Inference;
using Runtime.Tensors;
using static Runtime.Backends.Tests.Torch.TorchTestModel;

namespace Runtime.Backends.Tests.Torch;

/// <summary>The same networks as TorchScript and as ONNX, in one process.</summary>
public sealed class TorchBesideOnnxTests : PoolTest
{
    private const int Pixels = 3 * 32 * 32;

    // One thread each, as these tests want neither to wait for a busy machine nor to load it.
    private static readonly string CnnConfig = Parameter("INTRA_OP_THREAD_COUNT", "1") + "max_batch_size: 8 dynamic_batching {} " + In("INPUT__0", dims: "3, 32, 32") + Out("OUTPUT__0", dims: "10");
    private static readonly string EncoderConfig = Parameter("INTRA_OP_THREAD_COUNT", "1") + "max_batch_size: 8 " + In("INPUT__0", "INT64", "-1") + Out("OUTPUT__0", dims: "-1, 24");

    [TorchTheory]
    [InlineData(1)]
    [InlineData(7)]
    public async Task Infer_SameNetworkInBothFormats_Agrees(int rows)
    {
        using var repository = Serve();
        foreach (var seed in Enumerable.Range(0, 5))
        {
            AssertClose(await AskCnnAsync(repository, "cnn_torch", rows, seed), await AskCnnAsync(repository, "cnn_onnx", rows, seed));
            AssertClose(await AskEncoderAsync(repository, "encoder_torch", rows, seed), await AskEncoderAsync(repository, "encoder_onnx", rows, seed));
        }
    }

    [TorchFact]
    public async Task Infer_BothUnderLoad_AnswersStayTheSame()
    {
        using var repository = Serve();
        await Task.WhenAll(Enumerable.Range(0, 8).Select(client => Task.Run(async () =>
        {
            var model = client % 2 == 0 ? "cnn_torch" : "cnn_onnx";
            var alone = await AskCnnAsync(repository, "cnn_onnx", 1, client);
            var sentence = await AskEncoderAsync(repository, "encoder_onnx", 1, client);
            for (var run = 0; run < 60; run++)
            {
                AssertClose(alone, await AskCnnAsync(repository, model, 1, client));
                AssertClose(sentence, await AskEncoderAsync(repository, "encoder_torch", 1, client));
            }
        })));
    }

    [TorchFact]
    public async Task LoadAndUnload_FiftyTimes_KeepsMemoryFlat()
    {
        using var repository = Serve();
        var after = new List<long>();
        for (var cycle = 0; cycle < 50; cycle++)
        {
            foreach (var model in new[] { "cnn_torch", "encoder_torch" })
            {
                repository.Unload(model);
                Assert.Equal("", repository.Load(model));
            }

            await AskCnnAsync(repository, "cnn_torch", 8, cycle);
            await AskEncoderAsync(repository, "encoder_torch", 8, cycle);
            after.Add(ResidentBytes());
        }

        // The largest of each ten, since a collection may come at any time.
        Assert.InRange(after[40..].Max(), 0, (long)(after[5..15].Max() * 1.1));
    }

    private static TorchRepository Serve()
    {
        var repository = new TorchRepository();
        repository.Add("cnn", CnnConfig, "cnn_torch");
        repository.Add("cnn", CnnConfig, "cnn_onnx", "onnx");
        repository.Add("small_encoder", EncoderConfig, "encoder_torch");
        repository.Add("small_encoder", EncoderConfig, "encoder_onnx", "onnx");
        foreach (var model in new[] { "cnn_torch", "cnn_onnx", "encoder_torch", "encoder_onnx" })
        {
            Assert.Equal("", repository.Load(model));
        }

        return repository;
    }

    private static async Task<float[]> AskCnnAsync(TorchRepository repository, string model, int rows, int seed)
    {
        using var request = new InferenceRequest();
        request.Inputs.With("INPUT__0", DataType.Fp32, [rows, 3, 32, 32], RandomValues.Floats(rows * Pixels, seed));
        return await AskAsync(repository, model, request);
    }

    private static async Task<float[]> AskEncoderAsync(TorchRepository repository, string model, int rows, int seed)
    {
        using var request = new InferenceRequest();
        var length = 3 + seed;
        request.Inputs.With("INPUT__0", DataType.Int64, [rows, length], [.. Enumerable.Range(0, rows * length).Select(i => (long)((i * 37) + seed) % 256)]);
        return await AskAsync(repository, model, request);
    }

    private static async Task<float[]> AskAsync(TorchRepository repository, string model, InferenceRequest request)
    {
        using var response = await repository.AskAsync(model, request);
        Assert.Null(response.Error);
        return response.Outputs.Values<float>("OUTPUT__0");
    }

    private static void AssertClose(float[] expected, float[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, 1e-4f));
    }

    private static long ResidentBytes()
    {
        using var process = System.Diagnostics.Process.GetCurrentProcess();
        return process.WorkingSet64;
    }
}
