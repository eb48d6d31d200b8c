using Runtime.Functions;
using Runtime.Tensors;

namespace Runtime.Tests.Functions;

public class ModelCallsTests
{
    private static readonly FunctionTensor[] X = [new("X", DataType.Int32, 1)];

    [Fact]
    public async Task InferAsync_OtherFunction_AnswersInProcess()
    {
        await using var models = await ServeAsync(
            ("outer", async (calls, inputs) => new Outputs { ["Y"] = (await calls.InferAsync("inner", new() { ["X"] = inputs.GetTensor("X") })).GetTensor("Y") }),
            ("inner", (_, inputs) => new Outputs { ["Y"] = inputs.Get<int>("X") + 1 }));

        Assert.Equal("8", await models.AskAsync("outer", 7)); // the answer's memory is given on, and outlives it
    }

    [Fact]
    public async Task InferAsync_NoSuchModel_SaysWhoNeedsWhom()
    {
        await using var models = await ServeAsync(("outer", async (calls, _) => new Outputs { ["Y"] = (await calls.InferAsync("absent", [])).Names.Count }));

        Assert.Equal("Unavailable: function 'outer' needs model 'absent', which is not to be had: Request for unknown model: 'absent' is not found", await models.AskAsync("outer"));
    }

    [Fact]
    public async Task InferAsync_Itself_IsRefused()
    {
        await using var models = await ServeAsync(("snake", async (calls, _) => new Outputs { ["Y"] = (await calls.InferAsync("snake", new() { ["X"] = 1 })).Names.Count }));

        Assert.Equal("Unsupported: model 'snake' cannot be called while it waits for the answer itself: snake > snake", await models.AskAsync("snake"));
    }

    [Fact]
    public async Task InferAsync_ItselfByAnother_IsRefused()
    {
        await using var models = await ServeAsync(
            ("a", async (calls, _) => new Outputs { ["Y"] = (await calls.InferAsync("b", new() { ["X"] = 1 })).Names.Count }),
            ("b", async (calls, _) => new Outputs { ["Y"] = (await calls.InferAsync("a", new() { ["X"] = 1 })).Names.Count }));

        Assert.Contains("a > b > a", await models.AskAsync("a"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task InferAsync_WrongInput_CarriesTheModelsOwnMessage()
    {
        await using var models = await ServeAsync(
            ("outer", async (calls, _) => new Outputs { ["Y"] = (await calls.InferAsync("inner", new() { ["X"] = "text" })).Names.Count }),
            ("inner", (_, _) => new Outputs { ["Y"] = 1 }));

        Assert.Contains("data-type is 'BYTES', but model 'inner' expects 'INT32'", await models.AskAsync("outer"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task StreamAsync_OtherFunction_GivesItsPieces()
    {
        var sum = 0;
        await using var models = await BoundModels.ServeAsync(
            FunctionModel.BindStream("pieces", X, [], (inputs, _) => PiecesAsync(inputs.Get<int>("X"))),
            FunctionModel.Bind("total", X, [], async (inputs, request) =>
            {
                await foreach (var piece in request.Context.Models.StreamAsync("pieces", new() { ["X"] = inputs.GetTensor("X") }))
                {
                    sum += piece.Get<int>("Y");
                }

                return new Outputs { ["Y"] = sum };
            }));

        Assert.Equal("6", await models.AskAsync("total", 4));
    }

    [Fact]
    public async Task InferAsync_ModelThatStreams_SaysSo()
    {
        await using var models = await BoundModels.ServeAsync(
            FunctionModel.BindStream("pieces", X, [], (inputs, _) => PiecesAsync(inputs.Get<int>("X"))),
            FunctionModel.Bind("once", X, [], async (inputs, request) => new Outputs { ["Y"] = (await request.Context.Models.InferAsync("pieces", new() { ["X"] = 1 })).Names.Count }));

        Assert.Equal("Unsupported: function 'once' must stream from model 'pieces', which is decoupled", await models.AskAsync("once"));
    }

    [Fact]
    public async Task InferAsync_ValueWithoutTheBatchDimension_GetsOne()
    {
        await using var models = await BoundModels.ServeAsync(
            FunctionModel.Bind("inner", X, [], (inputs, _) => new Outputs { ["Y"] = inputs.Get<int>("X") + 1 }, new FunctionModelOptions { BatchSize = 4 }),
            FunctionModel.Bind("outer", X, [], async (inputs, request) => new Outputs { ["Y"] = (await request.Context.Models.InferAsync("inner", new() { ["X"] = 5 })).Get<int>("Y") }));

        Assert.Equal("6", await models.AskAsync("outer"));
    }

    private static async IAsyncEnumerable<Outputs> PiecesAsync(int count)
    {
        for (var i = 0; i < count; i++)
        {
            await Task.Yield();
            yield return new() { ["Y"] = i };
        }
    }

    private static Task<BoundModels> ServeAsync(params (string Name, Func<ModelCalls, Inputs, ValueTask<Outputs>> Infer)[] functions)
        => BoundModels.ServeAsync([.. functions.Select(function => FunctionModel.Bind(function.Name, X, [], (inputs, request) => function.Infer(request.Context.Models, inputs)))]);
}
