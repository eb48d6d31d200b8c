using System.Net;
using System.Text;
using System.Text.Json;
using Google.Protobuf;
using Runtime.Protocol;

namespace Runtime.Benchmarks.Load;

/// <summary>One inference with its tensors' own bytes, ready to send again and again.</summary>
internal sealed record LoadTarget(Uri Address, Version Version, string ContentType, int HeaderLength, byte[] Body)
{
    private const int Elements = 16;

    private bool IsGrpc => HeaderLength == 0;

    public static LoadTarget Grpc(Uri address)
    {
        var message = new ModelInferRequest { ModelName = "simple" };
        foreach (var name in new[] { "INPUT0", "INPUT1" })
        {
            message.Inputs.Add(new ModelInferRequest.Types.InferInputTensor { Name = name, Datatype = "INT32", Shape = { 1, Elements } });
            message.RawInputContents.Add(ByteString.CopyFrom(new byte[Elements * 4]));
        }

        var frame = new byte[5 + message.CalculateSize()];
        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), frame.Length - 5);
        message.WriteTo(frame.AsSpan(5));
        return new LoadTarget(new Uri(address, "/inference.GRPCInferenceService/ModelInfer"), HttpVersion.Version20, "application/grpc", 0, frame);
    }

    public static LoadTarget Http(Uri address) => Http(address, "simple", [("INPUT0", "INT32", [1, Elements]), ("INPUT1", "INT32", [1, Elements])]);

    /// <summary>Zeros for a model of 32-bit inputs, one row each, as its metadata describes them.</summary>
    public static async Task<LoadTarget> OfAsync(Uri address, string model, HttpMessageInvoker client)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(address, $"/v2/models/{model}"));
        using var response = await client.SendAsync(request, CancellationToken.None);
        using var metadata = JsonDocument.Parse(await response.EnsureSuccessStatusCode().Content.ReadAsStringAsync());
        return Http(address, model, [.. metadata.RootElement.GetProperty("inputs").EnumerateArray().Select(input => (
            input.GetProperty("name").GetString()!,
            input.GetProperty("datatype").GetString()!,
            input.GetProperty("shape").EnumerateArray().Select(dimension => Math.Max(1, dimension.GetInt64())).ToArray()))]);
    }

    private static LoadTarget Http(Uri address, string model, (string Name, string Type, long[] Shape)[] tensors)
    {
        var sizes = tensors.Select(tensor => 4 * tensor.Shape.Aggregate((product, dimension) => product * dimension)).ToArray();
        var inputs = tensors.Zip(sizes, (tensor, size) =>
            $$$"""{"name":"{{{tensor.Name}}}","shape":[{{{string.Join(',', tensor.Shape)}}}],"datatype":"{{{tensor.Type}}}","parameters":{"binary_data_size":{{{size}}}}}""");
        var header = Encoding.ASCII.GetBytes($$"""{"parameters":{"binary_data_output":true},"inputs":[{{string.Join(',', inputs)}}]}""");
        return new LoadTarget(new Uri(address, $"/v2/models/{model}/infer"), HttpVersion.Version11, "application/octet-stream", header.Length, [.. header, .. new byte[sizes.Sum()]]);
    }

    public HttpRequestMessage Request()
    {
        var request = new HttpRequestMessage(HttpMethod.Post, Address) { Version = Version, VersionPolicy = HttpVersionPolicy.RequestVersionExact, Content = new ByteArrayContent(Body) };
        request.Content.Headers.TryAddWithoutValidation("Content-Type", ContentType);
        request.Headers.TryAddWithoutValidation(IsGrpc ? "te" : "Inference-Header-Content-Length", IsGrpc ? "trailers" : HeaderLength.ToString(System.Globalization.CultureInfo.InvariantCulture));
        return request;
    }

    /// <summary>Whether the response, read to its end, is an inference.</summary>
    public bool IsServed(HttpResponseMessage response)
        => response.IsSuccessStatusCode && (!IsGrpc || (response.TrailingHeaders.TryGetValues("grpc-status", out var status) && status.Single() == "0"));
}
