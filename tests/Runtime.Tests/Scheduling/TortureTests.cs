using Runtime.Inference;
using Runtime.Tensors;
using Runtime.Tests.Models;

namespace Runtime.Tests.Scheduling;

public class TortureTests
{
    /// <summary>Threads send requests of random shapes, priorities and timeouts, and cancel some: each is answered once, with its own data, and no buffer is lost.</summary>
    [Theory]
    [InlineData(8, 50)]
    [InlineData(2, 0)]
    public async Task InferAsync_RandomLoad_EveryRequestAnsweredOnceWithItsOwnData(int threads, uint delay)
    {
        var pool = new TensorPool();
        var answered = 0;
        var time = new TortureTime(share: 0.5);
        using (var model = TestModels.Make(TestModels.AddOne, message =>
        {
            message.InstanceGroup[0].Count = 3;
            message.DynamicBatching = new Protocol.ModelDynamicBatching
            {
                MaxQueueDelayMicroseconds = delay,
                PriorityLevels = 3,
                DefaultPriorityLevel = 2,
                DefaultQueuePolicy = new Protocol.ModelQueuePolicy { AllowTimeoutOverride = true, MaxQueueSize = 64 },
            };
        }, runsOnAnyThread: true))
        {
            await Task.WhenAll(Enumerable.Range(0, threads).Select(thread => Task.Run(async () =>
            {
                var random = new Random(thread);
                while (time.TryNext())
                {
                    await SendAsync(model, pool, random);
                    Interlocked.Increment(ref answered);
                }

                await Task.Yield(); // not to end the model on its own thread
            })));
            Assert.Equal(0, model.Statistics.Pending);
        }

        Assert.Equal(time.Requests, answered);
        Assert.Equal(0, pool.Outstanding);
    }

    private static async Task SendAsync(Runtime.Models.Model model, TensorPool pool, Random random)
    {
        using var cancellation = new CancellationTokenSource();
        using var request = new InferenceRequest(pool);
        request.AllowSynchronousContinuations = random.Next(2) == 0;
        var (rows, columns) = (random.Next(1, 4), random.Next(1, 4));
        var values = Enumerable.Range(0, rows * columns).Select(_ => random.Next()).ToArray();
        TestModels.AddInput(request, "X", [rows, columns], values);
        request.Priority = (ulong)random.Next(4);
        request.TimeoutMicroseconds = random.Next(4) == 0 ? 1000u : 0;
        var pending = model.InferAsync(request, cancellation.Token);
        if (random.Next(8) == 0)
        {
            await cancellation.CancelAsync();
        }

        using var response = await pending;
        if (response.Error is null)
        {
            Assert.Equal(values.Select(value => unchecked(value + 1)), TestModels.Values(response));
            return;
        }

        Assert.Contains(response.Error.Code, new[] { ErrorCode.Cancelled, ErrorCode.Unavailable });
    }
}
