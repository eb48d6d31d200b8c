using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Runtime.Functions;
using Runtime.Host.Embedding;
using Runtime.Tensors;

namespace Runtime.Host.Tests.Embedding;

public class EmbeddedRuntimeTests
{
    private static readonly FunctionTensor[] X = [new("X", DataType.Int32, 1)];

    [Fact]
    public async Task MapRuntime_BoundFunction_IsServedBesideTheProgramsOwnPaths()
    {
        var function = FunctionModel.Bind("double", X, [new("Y", DataType.Int32, 1)], (inputs, _) => new Outputs { ["Y"] = 2 * inputs.Get<int>("X") });
        await using var app = await StartAsync(function);
        using var client = new HttpClient { BaseAddress = new Uri(app.Urls.Single()) };
        using var body = new StringContent("""{"inputs":[{"name":"X","shape":[1],"datatype":"INT32","data":[21]}]}""", Encoding.UTF8, "application/json");

        using var answer = await client.PostAsync("/v2/models/double/infer", body);
        using var unknown = await client.GetAsync("/v2/models/absent/ready");

        Assert.Contains("\"data\":[42]", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/v2/health/ready")).StatusCode);
        Assert.NotEqual(HttpStatusCode.OK, unknown.StatusCode);
        Assert.Equal("own", await client.GetStringAsync("/own"));
    }

    [Fact]
    public async Task MapRuntime_BoundStream_IsServerSentEvents()
    {
        var function = FunctionModel.BindStream("count", X, [], (inputs, _) => CountAsync(inputs.Get<int>("X")));
        await using var app = await StartAsync(function);
        using var client = new HttpClient { BaseAddress = new Uri(app.Urls.Single()) };
        using var body = new StringContent("""{"X":2}""", Encoding.UTF8, "application/json");

        using var answer = await client.PostAsync("/v2/models/count/generate_stream", body);

        var events = (await answer.Content.ReadAsStringAsync()).Split("\n\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(2, events.Length);
        Assert.Contains("\"Y\":1", events[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_FunctionThatCannotBe_FailsTheProgram()
    {
        var function = FunctionModel.Bind("bad/name", [new("X", DataType.Int32, 0)], [], (_, _) => new Outputs());

        var failure = await Assert.ThrowsAsync<InvalidOperationException>(() => StartAsync(function));

        Assert.Contains("bad/name", failure.Message, StringComparison.Ordinal);
    }

    private static async Task<WebApplication> StartAsync(FunctionModel function)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Services.AddRuntime(runtime => runtime.Bind(function));
        var app = builder.Build();
        app.Urls.Add("http://127.0.0.1:0");
        app.MapRuntime();
        app.MapGet("/own", () => "own");
        try
        {
            await app.StartAsync();
            return app;
        }
        catch
        {
            await app.DisposeAsync();
            throw;
        }
    }

    private static async IAsyncEnumerable<Outputs> CountAsync(int count)
    {
        for (var i = 0; i < count; i++)
        {
            await Task.Yield();
            yield return new() { ["Y"] = i };
        }
    }
}
