using Runtime.Scheduling;
using Runtime.Tests.Models;

namespace Runtime.Tests.Scheduling;

public class BatchPolicyTests
{
    [Theory]
    [InlineData(1, 0, 0, "", 1, 0)]       // no delay: what is there goes
    [InlineData(8, 0, 500, "", 8, 0)]     // full
    [InlineData(3, 0, 500, "", 0, 500)]   // waits for company
    [InlineData(3, 200, 500, "", 0, 300)] // the rest of the wait
    [InlineData(3, 500, 500, "", 3, 0)]   // waited long enough
    [InlineData(3, 900, 500, "", 3, 0)]
    [InlineData(4, 0, 500, "4", 4, 0)]    // preferred
    [InlineData(5, 0, 500, "4", 4, 0)]    // the largest preferred that is there; one waits on
    [InlineData(6, 0, 500, "2,6", 6, 0)]
    [InlineData(5, 0, 500, "2,6", 2, 0)]
    [InlineData(1, 0, 500, "2,6", 0, 500)]
    [InlineData(5, 500, 500, "4", 5, 0)]  // the delay is over: all go
    public void Decide_RowsAndAge_SendsOrWaits(int rows, ulong age, ulong delay, string preferred, int expectedRows, ulong expectedWait)
    {
        var config = TestModels.Config(message =>
        {
            message.DynamicBatching = new Protocol.ModelDynamicBatching { MaxQueueDelayMicroseconds = delay };
            message.DynamicBatching.PreferredBatchSize.AddRange(preferred.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(int.Parse));
        });

        var decision = BatchPolicy.Decide(rows, age, maxBatchSize: 8, config.DynamicBatching!);

        Assert.Equal(new BatchDecision(expectedRows, expectedWait), decision);
    }
}
