using System.Text.Json;
using Google.Protobuf;
using Runtime.Host.Grpc;
using Runtime.Host.Tests.Grpc;
using Runtime.Protocol;
using InferTensor = Runtime.Protocol.ModelInferRequest.Types.InferInputTensor;

namespace Runtime.Host.Tests.Nvcf;

public sealed class AssetTests
{
    internal const string Id = "0b6a4f9c-94c5-4b0f-8f5c-8c2c7a3f2b11";

    [Fact]
    public async Task Infer_BytesAsset_IsTheOneElement()
    {
        await using var host = await NvcfHost.StartAsync();
        host.AddAsset(Id, "the file"u8.ToArray());

        var answer = await host.PostAsync("/v2/models/text/infer", Infer("BYTES", "[1]", Id), host.Headers($"other, {Id}"));

        Assert.Equal("the file", answer.Json.GetProperty("outputs")[0].GetProperty("data")[0].GetString());
        Assert.Empty(NvcfHost.OpenBelow(host.Assets));
    }

    [Fact]
    public async Task Infer_AssetOfNumbers_IsTheirRawBytes()
    {
        await using var host = await NvcfHost.StartAsync();
        host.AddAsset(Id, TestRequests.Bytes(4, 5, 6));

        var answer = await host.PostAsync("/v2/models/numbers/infer", Infer("INT32", "[3]", Id), host.Headers(Id));

        Assert.EndsWith("\"data\":[4,5,6]}]}", answer.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("INT32", "[2]", "needs 2 elements of INT32, its asset has 3")]
    [InlineData("INT32", "[-3]", "shape")]
    public async Task Infer_AssetOfAnotherSize_Is400(string type, string shape, string expected)
    {
        await using var host = await NvcfHost.StartAsync();
        host.AddAsset(Id, TestRequests.Bytes(4, 5, 6));

        await AssertRefusedAsync(host, "/v2/models/numbers/infer", Infer(type, shape, Id), expected);
    }

    [Fact]
    public async Task Infer_AssetThatIsNoWholeNumberOfElements_Is400()
    {
        await using var host = await NvcfHost.StartAsync();
        host.AddAsset(Id, new byte[7]);

        await AssertRefusedAsync(host, "/v2/models/numbers/infer", Infer("INT32", "[1]", Id), "no whole number of INT32 elements");
        await AssertRefusedAsync(host, "/v2/models/numbers/generate", Generate(Id), "no whole number of INT32 elements");
    }

    [Fact]
    public async Task Infer_TwoElementsOfBytes_Is400()
    {
        await using var host = await NvcfHost.StartAsync();
        host.AddAsset(Id, new byte[7]);

        await AssertRefusedAsync(host, "/v2/models/text/infer", Infer("BYTES", "[2]", Id), "one element of BYTES");
    }

    [Fact]
    public async Task Infer_AssetLargerThanAllowed_Is400WithBothSizes()
    {
        await using var host = await NvcfHost.StartAsync(options => options with { NvcfMaxAssetSize = 10 });
        host.AddAsset(Id, new byte[11]);

        await AssertRefusedAsync(host, "/v2/models/text/infer", Infer("BYTES", "[1]", Id), "has 11 bytes, an input takes 10 at most");
    }

    [Fact]
    public async Task Infer_AssetAndData_Is400()
    {
        await using var host = await NvcfHost.StartAsync();
        host.AddAsset(Id, new byte[4]);

        await AssertRefusedAsync(host, "/v2/models/numbers/infer", Infer("INT32", "[1]", Id).Replace("\"name\"", "\"data\":[1],\"name\"", StringComparison.Ordinal), "But set 'data' 'asset_id'");
        await AssertRefusedAsync(host, "/v2/models/numbers/infer", """{"inputs":[{"name":"X","shape":[1],"datatype":"INT32","parameters":{"asset_id":5}}]}""", "asset_id");
    }

    [Fact]
    public async Task Infer_LargeAsset_ArrivesWhole()
    {
        await using var host = await NvcfHost.StartAsync(options => options with { HttpMaxInputSize = 1000 });
        var numbers = Enumerable.Range(0, 1_000_000).ToArray();
        host.AddAsset(Id, TestRequests.Bytes(numbers));

        var body = Infer("INT32", "[1000000]", Id).Replace("\"inputs\"", "\"parameters\":{\"binary_data_output\":true},\"inputs\"", StringComparison.Ordinal);
        var answer = await host.PostAsync("/v2/models/numbers/infer", body, host.Headers(Id));

        Assert.Equal(TestRequests.Bytes(numbers), answer.Body[^4_000_000..]);
    }

    [Fact]
    public async Task Generate_Asset_TakesItsShapeFromTheFile()
    {
        await using var host = await NvcfHost.StartAsync();
        host.AddAsset(Id, TestRequests.Bytes(4, 5, 6));

        Assert.Equal("[4,5,6]", (await host.PostAsync("/v2/models/numbers/generate", Generate(Id), host.Headers(Id))).Json.GetProperty("Y").GetRawText());
        Assert.Equal("[4,5,6]", JsonDocument.Parse((await host.PostAsync("/v2/models/numbers/generate_stream", Generate(Id), host.Headers(Id))).Text["data: ".Length..]).RootElement.GetProperty("Y").GetRawText());
    }

    [Fact]
    public async Task Asset_ModelWithASchema_IsCheckedByWhatTheFileHolds()
    {
        await using var host = await NvcfHost.StartAsync();
        host.AddAsset("two", TestRequests.Bytes(4, 5));
        host.AddAsset("three", TestRequests.Bytes(4, 5, 6));

        foreach (var (verb, two, three) in new[] { ("infer", Infer("INT32", "[2]", "two"), Infer("INT32", "[3]", "three")), ("generate", Generate("two"), Generate("three")) })
        {
            var good = await host.PostAsync($"/v2/models/described/{verb}", two, host.Headers("two,three"));
            Assert.True(good.Status == 200, good.Text);
            var bad = await host.PostAsync($"/v2/models/described/{verb}", three, host.Headers("two,three"));
            Assert.Equal((400, 1), (bad.Status, bad.Json.GetProperty("details").GetArrayLength()));
        }
    }

    [Theory]
    [InlineData("""{"X":{}}""")]
    [InlineData("""{"X":{"asset":"a"}}""")]
    [InlineData("""{"X":{"asset_id":5}}""")]
    [InlineData("""{"X":{"asset_id":"a","more":1}}""")]
    public async Task Generate_OtherObject_Is400(string body)
    {
        await using var host = await NvcfHost.StartAsync();

        await AssertRefusedAsync(host, "/v2/models/numbers/generate", body, "asset_id");
    }

    [Fact]
    public async Task Asset_LinkInsideTheDirectory_IsRead()
    {
        await using var host = await NvcfHost.StartAsync();
        host.AddAsset("real", "inside"u8.ToArray());
        File.CreateSymbolicLink(Path.Combine(host.Assets, Id), Path.Combine(host.Assets, "real"));

        Assert.Contains("inside", (await host.PostAsync("/v2/models/text/infer", Infer("BYTES", "[1]", Id), host.Headers(Id))).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Asset_NoneListedOrNoDirectory_Is400()
    {
        await using var host = await NvcfHost.StartAsync();
        host.AddAsset(Id, new byte[4]);

        var unlisted = await host.PostAsync("/v2/models/text/infer", Infer("BYTES", "[1]", Id), host.Headers());
        Assert.Equal((400, true), (unlisted.Status, unlisted.Error.Contains("not one of the request's 0", StringComparison.Ordinal)));

        var nowhere = await host.PostAsync("/v2/models/text/infer", Infer("BYTES", "[1]", Id), [("NVCF-REQID", "1"), ("NVCF-FUNCTION-ASSET-IDS", Id)]);
        Assert.Equal((400, true), (nowhere.Status, nowhere.Error.Contains("without NVCF-ASSET-DIR", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Asset_HostIsNoFunction_IsNotRead()
    {
        await using var host = await NvcfHost.StartAsync(options => options with { Nvcf = "false" });
        host.AddAsset(Id, new byte[4]);

        await AssertRefusedAsync(host, "/v2/models/text/infer", Infer("BYTES", "[1]", Id), "But no field is set");
    }

    [Fact]
    public async Task Grpc_AssetsAndRawContents_EachInputGetsItsOwn()
    {
        await using var host = await NvcfHost.StartAsync();
        host.AddAsset(Id, TestRequests.Bytes(4, 5, 6));

        var answer = await host.CallAsync(Request("numbers", "INT32", 3, Id), host.Headers(Id));

        Assert.Equal(TestRequests.Bytes(4, 5, 6), answer.Read(ModelInferResponse.Parser).RawOutputContents[0].ToByteArray());
        Assert.Empty(NvcfHost.OpenBelow(host.Assets));
    }

    [Fact]
    public async Task GrpcStream_Assets_AreReadInOrder()
    {
        await using var host = await NvcfHost.StartAsync();
        host.AddAsset("a", TestRequests.Bytes(1));
        host.AddAsset("b", TestRequests.Bytes(2));
        byte[] body = [.. Frames.Of(Request("numbers", "INT32", 1, "a").ToByteArray()), .. Frames.Of(Request("numbers", "INT32", 1, "out").ToByteArray()), .. Frames.Of(Request("numbers", "INT32", 1, "b").ToByteArray())];

        var answer = await host.Grpc.CallAsync(GrpcClient.Inference + "ModelStreamInfer", body, host.Headers("a,b"));

        var responses = answer.Messages.Select(message => ModelStreamInferResponse.Parser.ParseFrom(message)).ToArray();
        Assert.Equal([1], responses[0].InferResponse.RawOutputContents[0].Span[..1].ToArray());
        Assert.Contains("asset id 'out'", responses[1].ErrorMessage, StringComparison.Ordinal);
        Assert.Equal([2], responses[2].InferResponse.RawOutputContents[0].Span[..1].ToArray());
        Assert.Empty(NvcfHost.OpenBelow(host.Assets));
    }

    [Fact]
    public async Task Grpc_AssetBesideContentsOrOfAnotherKind_IsInvalidArgument()
    {
        await using var host = await NvcfHost.StartAsync();
        host.AddAsset(Id, TestRequests.Bytes(4));
        var both = Request("numbers", "INT32", 1, Id);
        both.Inputs[0].Contents = new InferTensorContents { IntContents = { 1 } };
        (await host.CallAsync(both, host.Headers(Id))).AssertFails(GrpcStatusCode.InvalidArgument, "beside an asset");

        var number = Request("numbers", "INT32", 1, Id);
        number.Inputs[0].Parameters["asset_id"] = new InferParameter { Int64Param = 1 };
        (await host.CallAsync(number, host.Headers(Id))).AssertFails(GrpcStatusCode.InvalidArgument, "expected string_param");
    }

    [Fact]
    public async Task Infer_SecondInputIsWrong_TheFirstOnesFileIsClosed()
    {
        await using var host = await NvcfHost.StartAsync();
        host.AddAsset(Id, TestRequests.Bytes(4));

        await AssertRefusedAsync(host, "/v2/models/numbers/infer", Infer("INT32", "[1]", Id).Replace("]}", ",{}]}", StringComparison.Ordinal), "'name'");

        Assert.Empty(NvcfHost.OpenBelow(host.Assets));
    }

    internal static string Infer(string type, string shape, string id)
        => $$$"""{"inputs":[{"name":"X","shape":{{{shape}}},"datatype":"{{{type}}}","parameters":{"asset_id":{{{JsonSerializer.Serialize(id)}}}}}]}""";

    internal static string Generate(string id) => $$$"""{"X":{"asset_id":{{{JsonSerializer.Serialize(id)}}}}}""";

    internal static ModelInferRequest Request(string model, string type, int count, string id) => new()
    {
        ModelName = model,
        Inputs = { new InferTensor { Name = "X", Datatype = type, Shape = { count }, Parameters = { ["asset_id"] = new InferParameter { StringParam = id } } } },
    };

    private static async Task AssertRefusedAsync(NvcfHost host, string target, string body, string expected)
    {
        var answer = await host.PostAsync(target, body, host.Headers(Id));

        Assert.True(answer.Status == 400, $"{answer.Status}: {answer.Text}");
        Assert.Contains(expected, answer.Error, StringComparison.Ordinal);
    }
}
