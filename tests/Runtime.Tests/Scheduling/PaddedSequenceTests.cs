using System.Runtime.InteropServices;
using Runtime.Inference;
using Runtime.Tensors;
using Runtime.Tests.Models;

namespace Runtime.Tests.Scheduling;

public class PaddedSequenceTests
{
    [Fact]
    public async Task InferAsync_Sequence_KeepsItsStateWhileItsInputIsPadded()
    {
        using var model = TestModels.Make(SumUp, PaddingTests.Configure(
            message =>
            {
                message.SequenceBatching = new Protocol.ModelSequenceBatching { MaxSequenceIdleMicroseconds = 3_600_000_000 };
                message.SequenceBatching.State.Add(new Protocol.ModelSequenceBatching.Types.State { InputName = "IN", OutputName = "OUT", DataType = Protocol.DataType.TypeInt32, Dims = { 1 } });
            },
            "pad.buckets=4",
            "pad.X.value=0"));

        PaddingTests.AssertOutput(await model.InferAsync(InSequence(start: true, 1, 2), default), [1, 2], 3, 3);
        PaddingTests.AssertOutput(await model.InferAsync(InSequence(start: false, 10, 20, 30), default), [1, 3], 63, 63, 63);
    }

    private static InferenceRequest InSequence(bool start, params int[] values)
    {
        var request = TestModels.Request(values);
        (request.SequenceId, request.SequenceStart) = (5, start);
        return request;
    }

    /// <summary>OUT = IN plus the sum of X, and Y has it in every place.</summary>
    private static TensorSet SumUp(TensorSet inputs, CancellationToken cancellation)
    {
        var x = inputs.Find("X")!;
        Assert.Equal([1, 4], x.Shape);
        var sum = PaddingTests.ReadInts(inputs.Find("IN")!)[0] + PaddingTests.ReadInts(x).Sum();
        var outputs = new TensorSet();
        AddInts(outputs, "Y", x.Shape, [sum, sum, sum, sum]);
        AddInts(outputs, "OUT", [1, 1], [sum]);
        return outputs;
    }

    private static void AddInts(TensorSet set, string name, long[] shape, int[] values)
    {
        set.Rent(name, DataType.Int32, shape, values.Length * 4, out var memory);
        MemoryMarshal.AsBytes<int>(values).CopyTo(memory.Span);
    }
}
