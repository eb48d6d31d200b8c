using System.Text;
using System.Text.Json;
using Runtime.Host.Http;
using Runtime.Host.Lifecycle;
using Runtime.Models;

namespace Runtime.Host.Tests.Nvcf;

/// <summary>Responses that are larger than the platform takes.</summary>
public sealed class LargeResponseTests
{
    private static readonly string Long = new('x', 5000);

    [Theory]
    [InlineData("file", true)]
    [InlineData("inline", true)]
    [InlineData("zip", false)]
    [InlineData("File", false)]
    public void Admit_Parameter_IsOneOfTwoWords(string text, bool isGood)
    {
        var message = new Protocol.ModelConfig { Name = "m" };
        message.Parameters["large_response"] = new() { StringValue = text };
        void Admit() => HostedModels.Admit(ModelConfig.From(message), new ModelRoutes());
        var fault = Record.Exception(Admit)?.Message ?? "";
        Assert.Equal(isGood ? "" : $"model 'm': parameter 'large_response' must be file or inline, got '{text}'", fault);
    }

    [Fact]
    public async Task Infer_LargeResponseOfAModelThatAsks_IsAFileAndTheAnswerNamesIt()
    {
        await using var host = await NvcfHost.StartAsync();
        var plain = await host.PostAsync("/v2/models/text/infer", Text(Long), host.Headers());

        var answer = await host.PostAsync("/v2/models/filed/infer", Text(Long), host.Headers());

        Assert.Equal(200, answer.Status);
        Assert.Equal(["response.json"], answer.Seen);
        var content = await File.ReadAllTextAsync(Path.Combine(host.Output, "response.json"));
        Assert.Equal(plain.Text.Replace("\"text\"", "\"filed\"", StringComparison.Ordinal), content);
        Assert.Equal($$"""{"id":"c-1","model_name":"filed","model_version":"1","parameters":{"large_response_file":"response.json","large_response_byte_size":{{content.Length}}},"outputs":[]}""", answer.Text);
        Assert.InRange(answer.Body.Length, 1, 1000);
    }

    [Fact]
    public async Task Infer_LargeBinaryResponse_IsAFileWithItsHeader()
    {
        await using var host = await NvcfHost.StartAsync();
        var body = Text(Long).Replace("\"inputs\"", "\"parameters\":{\"binary_data_output\":true},\"inputs\"", StringComparison.Ordinal);

        var answer = await host.PostAsync("/v2/models/filed/infer", body, host.Headers());

        Assert.Equal(["response.bin"], answer.Seen);
        Assert.Equal("application/json", answer.Headers.ContentType!.MediaType);
        var content = await File.ReadAllBytesAsync(Path.Combine(host.Output, "response.bin"));
        var parameters = answer.Json.GetProperty("parameters");
        Assert.Equal(content.Length, parameters.GetProperty("large_response_byte_size").GetInt32());
        var head = parameters.GetProperty("large_response_header_length").GetInt32();
        Assert.Equal(JsonValueKind.Object, JsonDocument.Parse(content.AsMemory(0, head)).RootElement.ValueKind);
        Assert.Equal(Long, Encoding.ASCII.GetString(content.AsSpan(head + 4)));
    }

    [Theory]
    [InlineData("text", "file", 1000, true)]
    [InlineData("filed", "inline", 1000, false)]
    [InlineData("filed", "", 1_000_000, false)]
    [InlineData("text", "", 1000, false)]
    public async Task Infer_LargeResponse_FollowsHeaderThenModelAndTheSizeThatThePlatformNames(string model, string header, int limit, bool isFile)
    {
        await using var host = await NvcfHost.StartAsync();
        (string, string)[] headers = [.. host.Headers(maxResponseSize: limit), .. header.Length > 0 ? [("Large-Response", header)] : Array.Empty<(string, string)>()];

        var answer = await host.PostAsync($"/v2/models/{model}/infer", Text(Long), headers);

        Assert.Equal(isFile ? ["response.json"] : [], answer.Seen);
        Assert.Equal(!isFile, answer.Text.Contains(Long, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Infer_CompressedBelowTheLimit_IsSentAsItIs()
    {
        await using var host = await NvcfHost.StartAsync();

        var small = await host.PostAsync("/v2/models/filed/infer", Text(Long), [.. host.Headers(), ("Accept-Encoding", "gzip")]);
        Assert.Equal(["gzip"], small.Headers.ContentEncoding);
        Assert.Empty(small.Seen);

        var large = await host.PostAsync("/v2/models/filed/infer", Text(Long), [.. host.Headers(maxResponseSize: 10), ("Accept-Encoding", "gzip")]);
        Assert.Empty(large.Headers.ContentEncoding);
        Assert.Equal(["response.json"], large.Seen);
    }

    [Fact]
    public async Task Generate_LargeResponse_IsAFile()
    {
        await using var host = await NvcfHost.StartAsync();

        var answer = await host.PostAsync("/v2/models/filed/generate", $$"""{"X":"{{Long}}"}""", host.Headers());

        Assert.Equal(["response.json"], answer.Seen);
        Assert.Contains(Long, await File.ReadAllTextAsync(Path.Combine(host.Output, "response.json")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Infer_LargeResponseWithoutDirectory_IsSentAsItIs()
    {
        await using var host = await NvcfHost.StartAsync();

        var answer = await host.PostAsync("/v2/models/filed/infer", Text(Long), [("NVCF-REQID", "1"), ("NVCF-MAX-RESPONSE-SIZE-BYTES", "10"), ("NVCF-LARGE-OUTPUT-DIR", "relative/dir")]);

        Assert.Contains(Long, answer.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Infer_LargeResponseThatCannotBeWritten_Is500WithAnError()
    {
        await using var host = await NvcfHost.StartAsync();
        await File.WriteAllTextAsync(Path.Combine(host.Root, "file"), "");

        var answer = await host.PostAsync("/v2/models/filed/infer", Text(Long), [("NVCF-REQID", "1"), ("NVCF-MAX-RESPONSE-SIZE-BYTES", "10"), ("NVCF-LARGE-OUTPUT-DIR", Path.Combine(host.Root, "file"))]);

        Assert.Equal(500, answer.Status);
        Assert.Contains("cannot be written", answer.Error, StringComparison.Ordinal);
    }

    private static string Text(string value) => $$"""{"id":"c-1","inputs":[{"name":"X","shape":[1],"datatype":"BYTES","data":["{{value}}"]}]}""";
}
