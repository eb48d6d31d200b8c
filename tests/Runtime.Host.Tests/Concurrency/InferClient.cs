using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Runtime.Host.Grpc;
using Runtime.Host.Tests.Grpc;
using Runtime.Protocol;

namespace Runtime.Host.Tests.Concurrency;

public enum Protocols
{
    Http,
    Grpc,
}

internal enum Outcome
{
    Served,
    Refused,
    DeadlineExceeded,
    Unreachable,
}

/// <summary>How one inference ended: the value that came back, or the error's message.</summary>
internal sealed record Inference(Outcome Outcome, int Value, string Message);

/// <summary>Sends one INT32 to the gated model. Any status but those of <see cref="Outcome"/> fails the test.</summary>
internal abstract class InferClient : IDisposable
{
    /// <param name="value">What the model is to repeat.</param>
    /// <param name="priority">1 or 2; 0 for the model's default, which is 2.</param>
    /// <param name="timeoutMicroseconds">How long it may wait in the queue; 0 for ever.</param>
    /// <param name="leaving">Lets the client go away.</param>
    public async Task<Inference> InferAsync(int value, int priority = 0, int timeoutMicroseconds = 0, CancellationToken leaving = default)
    {
        try
        {
            return await SendAsync(value, priority, timeoutMicroseconds, leaving);
        }
        catch (HttpRequestException exception)
        {
            return new Inference(Outcome.Unreachable, 0, exception.Message);
        }
    }

    public abstract void Dispose();

    protected abstract Task<Inference> SendAsync(int value, int priority, int timeoutMicroseconds, CancellationToken leaving);
}

internal sealed class HttpInferClient(IPEndPoint address) : InferClient
{
    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = new Uri($"http://{address}"), Timeout = Timeout.InfiniteTimeSpan };

    public static string Body(int value, int priority = 0, int timeoutMicroseconds = 0) => $$"""
        {"parameters":{"priority":{{priority}},"timeout":{{timeoutMicroseconds}}},"inputs":[{"name":"X","shape":[1,1],"datatype":"INT32","data":[{{value}}]}]}
        """;

    public override void Dispose() => _http.Dispose();

    protected override async Task<Inference> SendAsync(int value, int priority, int timeoutMicroseconds, CancellationToken leaving)
    {
        using var content = new StringContent(Body(value, priority, timeoutMicroseconds));
        using var response = await _http.PostAsync(new Uri("/v2/models/gated/infer", UriKind.Relative), content, leaving);
        var answer = await response.Content.ReadFromJsonAsync<JsonElement>(leaving);
        if (response.StatusCode == HttpStatusCode.ServiceUnavailable)
        {
            return new Inference(Outcome.Refused, 0, answer.GetProperty("error").GetString()!);
        }

        Assert.True(response.IsSuccessStatusCode, $"{response.StatusCode}: {answer}");
        return new Inference(Outcome.Served, answer.GetProperty("outputs")[0].GetProperty("data")[0].GetInt32(), "");
    }
}

internal sealed class GrpcInferClient(IPEndPoint address) : InferClient
{
    public const string Method = GrpcClient.Inference + "ModelInfer";

    private readonly GrpcClient _client = new(new Uri($"http://{address}"));

    public override void Dispose() => _client.Dispose();

    /// <summary>One inference with a deadline of its own, such as 20m.</summary>
    public async Task<Inference> InferWithinAsync(int value, string timeout)
        => Read(await _client.CallAsync(Method, TestRequests.Infer("gated", value), ("grpc-timeout", timeout)));

    protected override async Task<Inference> SendAsync(int value, int priority, int timeoutMicroseconds, CancellationToken leaving)
    {
        var request = TestRequests.Infer("gated", value);
        request.Parameters["priority"] = new InferParameter { Int64Param = priority };
        request.Parameters["timeout"] = new InferParameter { Int64Param = timeoutMicroseconds };
        return Read(await _client.CallAsync(Method, request, leaving));
    }

    private static Inference Read(GrpcAnswer answer) => answer.Status switch
    {
        GrpcStatusCode.Unavailable => new Inference(Outcome.Refused, 0, answer.Message),
        GrpcStatusCode.DeadlineExceeded => new Inference(Outcome.DeadlineExceeded, 0, answer.Message),
        _ => new Inference(Outcome.Served, BitConverter.ToInt32(answer.Read(ModelInferResponse.Parser).RawOutputContents[0].Span), ""),
    };
}
