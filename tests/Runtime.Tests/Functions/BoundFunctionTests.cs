using System.Collections.Concurrent;
using Runtime.Functions;
using Runtime.Inference;
using Runtime.Tensors;

namespace Runtime.Tests.Functions;

public class BoundFunctionTests
{
    private static readonly FunctionTensor[] X = [new("X", DataType.Int32, 1)];
    private static readonly FunctionTensor[] Y = [new("Y", DataType.Int32, 1)];

    [Fact]
    public async Task Bind_Delegate_AnswersRequests()
    {
        await using var models = await BoundModels.ServeAsync(FunctionModel.Bind("double", X, Y, (inputs, _) => new Outputs { ["Y"] = inputs.Get<int>("X") * 2 }));

        Assert.Equal("42", await models.AskAsync("double", 21));
    }

    [Fact]
    public async Task Bind_RequestOfSeveralRows_IsAnsweredRowByRow()
    {
        var options = new FunctionModelOptions { BatchSize = 8 };
        await using var models = await BoundModels.ServeAsync(FunctionModel.Bind("double", X, Y, (inputs, _) => new Outputs { ["Y"] = inputs.Get<int>("X") * 2 }, options));
        using var lease = models.Acquire("double");
        using var request = BoundModels.Request([3, 1], 1, 2, 3);

        using var response = await lease.Model.InferAsync(request, default);

        Assert.Equal("2,4,6", BoundModels.Text(response));
        Assert.Equal([3L, 1L], response.Outputs.Find("Y")!.Shape);
    }

    [Fact]
    public async Task BindBatch_RequestsOfOneWindow_AreOneCall()
    {
        var calls = new ConcurrentQueue<int>();
        await using var models = await BoundModels.ServeAsync(Batch("sum", batch =>
        {
            calls.Enqueue(batch.Count);
            return [.. batch.Select(inputs => new Outputs { ["Y"] = inputs.Get<int>("X") + batch.Count })];
        }));

        var answers = await Task.WhenAll(models.AskAsync("sum", 10), models.AskAsync("sum", 20));

        Assert.Equal(["12", "22"], answers);
        Assert.Equal([2], calls);
    }

    [Fact]
    public async Task BindBatch_WrongCount_FailsItsRequestsWithASentence()
    {
        await using var models = await BoundModels.ServeAsync(Batch("few", _ => [new Outputs { ["Y"] = 1 }]));

        var answers = await Task.WhenAll(models.AskAsync("few"), models.AskAsync("few"));

        Assert.All(answers, answer => Assert.Equal("Internal: function 'few' returned 1 outputs for a batch of 2 inputs; it must return one for each, in their order", answer));
    }

    [Fact]
    public async Task BindBatch_OneOutputIsWrong_FailsThatRequestOnly()
    {
        await using var models = await BoundModels.ServeAsync(Batch("mixed", batch => [.. batch.Select(inputs => new Outputs { ["Y"] = inputs.Get<int>("X") > 10 ? null : 1 })]));

        var answers = await Task.WhenAll(models.AskAsync("mixed", 1), models.AskAsync("mixed", 20));

        Assert.Equal("1", answers[0]);
        Assert.Contains("output 'Y' that is null", answers[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Bind_MeantException_ReachesTheClientAsItIs()
    {
        await using var models = await BoundModels.ServeAsync(FunctionModel.Bind("picky", X, Y, (_, _) => throw new FunctionException("the moon is not full", ErrorCode.Unavailable)));

        Assert.Equal("Unavailable: the moon is not full", await models.AskAsync("picky"));
        Assert.Empty(models.Log);
    }

    [Fact]
    public async Task Bind_OtherException_GoesToTheLogOnly()
    {
        await using var models = await BoundModels.ServeAsync(FunctionModel.Bind("leaky", X, Y, (_, _) => throw new InvalidOperationException("password=secret")));

        Assert.Equal("Internal: function 'leaky' failed with InvalidOperationException; the host's log has the details", await models.AskAsync("leaky"));
        Assert.Contains("password=secret", Assert.Single(models.Log), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Bind_ErrorDetails_TellsTheMessage()
    {
        var options = new FunctionModelOptions { Parameters = new Dictionary<string, string> { ["error_details"] = "true" } };
        await using var models = await BoundModels.ServeAsync(FunctionModel.Bind("open", X, Y, (_, _) => throw new InvalidOperationException("the reason"), options));

        Assert.Equal("Internal: function 'open' failed with InvalidOperationException: the reason", await models.AskAsync("open"));
    }

    [Fact]
    public async Task Bind_HangsRegardless_FailsItsOwnRequestOnly()
    {
        var entered = new SemaphoreSlim(0);
        var release = new TaskCompletionSource();
        using var cancellation = new CancellationTokenSource();
        await using var models = await BoundModels.ServeAsync(FunctionModel.Bind("stuck", X, Y, async (inputs, _) =>
        {
            if (inputs.Get<int>("X") == 0)
            {
                entered.Release();
                await release.Task;
            }

            return new Outputs { ["Y"] = inputs.Get<int>("X") };
        }));
        var stuck = models.AskAsync("stuck", 0, cancellation.Token);
        await entered.WaitAsync();
        await cancellation.CancelAsync();

        Assert.StartsWith("Cancelled", await stuck, StringComparison.Ordinal);
        Assert.Equal("5", await models.AskAsync("stuck", 5));
        release.SetResult();
    }

    [Fact]
    public async Task Bind_DeclaredOutputMissing_IsAnError()
    {
        await using var models = await BoundModels.ServeAsync(FunctionModel.Bind("empty", X, Y, (_, _) => new Outputs { ["Z"] = 1 }));

        Assert.Contains("gave no output 'Y'", await models.AskAsync("empty"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Request_IdAndParameters_AreTheClients()
    {
        string seen = "";
        await using var models = await BoundModels.ServeAsync(FunctionModel.Bind("who", X, Y, (_, asked) =>
        {
            seen = $"{asked.Id} {asked.Parameters["a"]} {asked.Headers["H"]}";
            asked.Report(50, new { done = 1 });
            return new Outputs { ["Y"] = 1 };
        }));
        using var lease = models.Acquire("who");
        using var request = BoundModels.Request([1], 1);
        (request.Id, request.Parameters) = ("r1", new() { ["a"] = 5L, ["h"] = "header" });

        using var response = await lease.Model.InferAsync(request, default);

        Assert.Null(response.Error);
        Assert.Equal("r1 5 header", seen);
    }

    private static FunctionModel Batch(string name, Func<IReadOnlyList<Inputs>, IReadOnlyList<Outputs>> infer)
        => FunctionModel.BindBatch(name, X, Y, (batch, _) => ValueTask.FromResult(infer(batch)), new FunctionModelOptions { BatchSize = 2, BatchWindow = TimeSpan.FromHours(1) });
}
