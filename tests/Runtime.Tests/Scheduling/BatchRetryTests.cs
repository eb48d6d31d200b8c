using System.Collections.Concurrent;
using Runtime.Inference;
using Runtime.Models;
using Runtime.Tests.Models;

namespace Runtime.Tests.Scheduling;

public class BatchRetryTests
{
    private const int Bad = -1;

    private readonly Gate _gate = new();
    private readonly ConcurrentQueue<long> _rows = [];

    [Fact]
    public async Task InferAsync_OneBadMemberWithTheParameter_OnlyItFails()
    {
        using var model = Make("true");
        var codes = await RunBatchAsync(model, 1, Bad, 3);

        Assert.Equal([null, ErrorCode.InvalidArgument, null], codes);
        Assert.Equal([1, 3, 1, 1, 1], _rows);
        Assert.Equal(1, model.Statistics.Snapshot().Failures[(int)FailureReason.Backend]);
        Assert.Equal(3, model.Statistics.Snapshot().Success.Count);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("false")]
    public async Task InferAsync_OneBadMemberWithoutTheParameter_AllFailAndNothingRunsAgain(string? parameter)
    {
        using var model = Make(parameter);
        var codes = await RunBatchAsync(model, 1, Bad, 3);

        Assert.All(codes, code => Assert.Equal(ErrorCode.Internal, code)); // none hears that it was the bad one
        Assert.Equal([1, 3], _rows);
    }

    [Fact]
    public async Task InferAsync_MemberCancelledBeforeTheRetry_IsNotRunAgain()
    {
        using var cancellation = new CancellationTokenSource();
        using var model = Make("true");
        var first = SendAsync(model, 0, default);
        await _gate.EnteredAsync();
        var cancelled = SendAsync(model, 1, cancellation.Token);
        var bad = SendAsync(model, Bad, default);
        _gate.Open();
        await _gate.EnteredAsync();
        await cancellation.CancelAsync();
        Assert.Equal(ErrorCode.Cancelled, await cancelled);
        _gate.Open(2);

        Assert.Null(await first);
        Assert.Equal(ErrorCode.InvalidArgument, await bad);
        Assert.Equal([1, 2, 1], _rows);
    }

    [Fact]
    public async Task InferAsync_CancelledDuringItsRetry_IsStopped()
    {
        using var cancellation = new CancellationTokenSource();
        using var model = Make("true");
        var first = SendAsync(model, 0, default);
        await _gate.EnteredAsync();
        var cancelled = SendAsync(model, 1, cancellation.Token);
        var bad = SendAsync(model, Bad, default);
        _gate.Open(2);
        await _gate.EnteredAsync();
        await _gate.EnteredAsync();
        await cancellation.CancelAsync();
        Assert.Equal(ErrorCode.Cancelled, await cancelled);
        _gate.Open();

        Assert.Null(await first);
        Assert.Equal(ErrorCode.InvalidArgument, await bad);
    }

    private async Task<ErrorCode?[]> RunBatchAsync(Model model, params int[] values)
    {
        var first = SendAsync(model, 0, default);
        await _gate.EnteredAsync();
        var members = values.Select(value => SendAsync(model, value, default)).ToArray();
        _gate.Open(2 + values.Length);
        Assert.Null(await first);
        return await Task.WhenAll(members);
    }

    private static async Task<ErrorCode?> SendAsync(Model model, int value, CancellationToken cancellation)
    {
        using var request = TestModels.Request(value);
        using var response = await model.InferAsync(request, cancellation);
        if (response.Error is null)
        {
            TestModels.AssertValues(response, value + 1);
        }

        return response.Error?.Code;
    }

    private Model Make(string? parameter) => TestModels.Make(
        (inputs, cancellation) =>
        {
            _rows.Enqueue(inputs[0].Shape[0]);
            _gate.Pass(cancellation);
            return inputs[0].Data.Span.Contains((byte)255) ? throw new InferenceException(ErrorCode.InvalidArgument, "no good") : TestModels.AddOne(inputs, cancellation);
        },
        message =>
        {
            message.DynamicBatching = new Protocol.ModelDynamicBatching();
            if (parameter is not null)
            {
                message.Parameters.Add("retry_failed_batch", new Protocol.ModelParameter { StringValue = parameter });
            }
        });
}
