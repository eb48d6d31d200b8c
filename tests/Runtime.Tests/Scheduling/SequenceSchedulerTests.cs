using System.Diagnostics;
using System.Runtime.InteropServices;
using Runtime.Inference;
using Runtime.Models;
using Runtime.Tensors;
using Runtime.Tests.Models;
using Kind = Runtime.Protocol.ModelSequenceBatching.Types.Control.Types.Kind;

namespace Runtime.Tests.Scheduling;

public class SequenceSchedulerTests
{
    private readonly Gate _gate = new();

    [Fact]
    public async Task InferAsync_StateCarried_AddsUpUntilTheNextStart()
    {
        using var model = Accumulator();

        Assert.Equal(1, await Send(model, 7, 1, start: true));
        Assert.Equal(3, await Send(model, 7, 2));
        Assert.Equal(10, await Send(model, 8, 10, start: true));
        Assert.Equal(6, await Send(model, 7, 3));
        Assert.Equal(5, await Send(model, 7, 5, start: true));
        Assert.Equal(30, await Send(model, 8, 20, end: true));
    }

    [Theory]
    [InlineData(Protocol.DataType.TypeInt32, 0x7FFF_FFFFul, true)]
    [InlineData(Protocol.DataType.TypeInt32, 0x8000_0000ul, false)]
    [InlineData(Protocol.DataType.TypeUint32, 0xFFFF_FFFFul, true)]
    [InlineData(Protocol.DataType.TypeUint32, 0x1_0000_0000ul, false)]
    [InlineData(Protocol.DataType.TypeInt64, 0x8000_0000_0000_0000ul, false)]
    [InlineData(Protocol.DataType.TypeUint64, 0xFFFF_FFFF_FFFF_FFFFul, true)]
    public async Task InferAsync_CorrelationIdAsAControl_MustFitItsDatatype(Protocol.DataType type, ulong id, bool fits)
    {
        var control = new Protocol.ModelSequenceBatching.Types.Control { Kind = Kind.ControlSequenceCorrid, DataType = type };
        using var model = Accumulator(null, message => message.SequenceBatching.ControlInput.Add(new Protocol.ModelSequenceBatching.Types.ControlInput { Name = "ID", Control = { control } }));
        using var request = Request(id, 1);
        request.SequenceStart = true;

        using var response = await model.InferAsync(request, default);

        Assert.Equal(fits ? null : ErrorCode.InvalidArgument, response.Error?.Code);
    }

    [Fact]
    public async Task InferAsync_AfterTheEnd_MustStartAgain()
    {
        using var model = Accumulator();
        await Send(model, 7, 1, start: true, end: true);

        var response = await model.InferAsync(Request(7, 2), default);

        Assert.Equal(ErrorCode.InvalidArgument, response.Error!.Code);
        Assert.Contains("must specify the START flag", response.Error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task InferAsync_NoSequence_IsRefused()
    {
        using var model = Accumulator();

        Assert.Contains("correlation ID", (await model.InferAsync(Request(0, 2), default)).Error!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task InferAsync_ManyAtOnce_RunInTheOrderOfTheSequence()
    {
        using var model = Accumulator();
        var tasks = Enumerable.Range(1, 50).Select(i =>
        {
            var request = Request(9, i);
            request.SequenceStart = i == 1;
            return model.InferAsync(request, default).AsTask();
        }).ToArray();

        var sums = (await Task.WhenAll(tasks)).Select(response => TestModels.Values(response).Single());

        Assert.Equal(Enumerable.Range(1, 50).Select(i => i * (i + 1) / 2), sums);
    }

    [Fact]
    public async Task InferAsync_WaitsBehindItsSequence_CountsAsWaitingInTheQueue()
    {
        using var model = Accumulator(gate: _gate);
        var first = Send(model, 7, 1, start: true);
        await _gate.EnteredAsync();
        using var request = Request(7, 2);
        request.Timeline = new RequestTimeline();
        var second = model.InferAsync(request, default);
        var whileTheFirstRan = Stopwatch.GetTimestamp();
        _gate.Open(2);

        Assert.Equal(1, await first);
        using var response = await second;
        Assert.Equal(3, TestModels.Values(response).Single());
        Assert.InRange(request.Timeline.Times.Queued, request.ArrivalTimestamp, whileTheFirstRan);
    }

    [Fact]
    public async Task InferAsync_IdleTooLong_IsForgotten()
    {
        var time = new ManualTime();
        using var model = Accumulator(time);
        await Send(model, 7, 1, start: true);
        time.Advance(TimeSpan.FromHours(2));
        time.FireAll();

        Assert.Contains("START", (await model.InferAsync(Request(7, 2), default)).Error!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task InferAsync_MoreSequencesThanAllowed_IsRefused()
    {
        using var model = Accumulator(limits: ModelLimits.Default with { MaxSequences = 1 });
        await Send(model, 7, 1, start: true);

        var refused = Request(8, 1);
        refused.SequenceStart = true;

        Assert.Equal(ErrorCode.Unavailable, (await model.InferAsync(refused, default)).Error!.Code);
        Assert.Equal(3, await Send(model, 7, 2, end: true));
        Assert.Equal(4, await Send(model, 8, 4, start: true));
    }

    [Fact]
    public async Task InferAsync_StateIsMissingFromTheOutputs_FailsEachRequestWithItsName()
    {
        using var model = TestModels.Make(TestModels.AddOne, message =>
        {
            message.SequenceBatching = new Protocol.ModelSequenceBatching { MaxSequenceIdleMicroseconds = 3_600_000_000 };
            message.SequenceBatching.State.Add(new Protocol.ModelSequenceBatching.Types.State { InputName = "STATE_IN", OutputName = "STATE_OUT", DataType = Protocol.DataType.TypeInt32, Dims = { 1 } });
        });

        for (var i = 0; i < 2; i++)
        {
            using var request = Request(7, 1);
            request.SequenceStart = i == 0;
            using var response = await model.InferAsync(request, default);
            Assert.Equal("model 'test' gave no output 'STATE_OUT' of datatype INT32, which is the next request's 'STATE_IN'", response.Error?.Message);
        }
    }

    [Fact]
    public async Task Load_MostSequencesIsNoNumber_IsRefused()
    {
        await using var repository = new RepositoryUnderTest();
        repository.Write("m", "sequence_batching { } parameters { key: 'max_sequences' value { string_value: 'two' } }", (1, "1"));

        Assert.Contains("parameter 'max_sequences' must be a whole number from 0 to 2147483647, got 'two'", (await repository.LoadAsync("m"))!.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("START", Kind.ControlSequenceEnd, "gives several controls to input 'START': Start, End")]
    [InlineData("OTHER", Kind.ControlSequenceStart, "has the control Start more than once: START, OTHER")]
    public void Constructor_ControlsInEachOthersWay_SaysWhich(string input, Kind kind, string reason)
    {
        var control = new Protocol.ModelSequenceBatching.Types.Control { Kind = kind, Int32FalseTrue = { 0, 1 } };

        var exception = Assert.Throws<InferenceException>(() => Accumulator(null, message => message.SequenceBatching.ControlInput.Add(new Protocol.ModelSequenceBatching.Types.ControlInput { Name = input, Control = { control } })));

        Assert.Contains(reason, exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Protocol.DataType.TypeFp32, 1, "FP32 of shape [1], but its state is INT32 of shape [1]")]
    [InlineData(Protocol.DataType.TypeInt32, 3, "INT32 of shape [3], but its state is INT32 of shape [1]")]
    public void Constructor_InitialStateOfAnotherKind_SaysBoth(Protocol.DataType type, long dimension, string reason)
    {
        var initial = new Protocol.ModelSequenceBatching.Types.InitialState { DataType = type, Dims = { dimension }, ZeroData = true };

        var exception = Assert.Throws<InferenceException>(() => Accumulator(null, message => message.SequenceBatching.State[0].InitialState.Add(initial)));

        Assert.Equal($"the initial state of 'STATE_IN' is {reason}", exception.Message);
    }

    private static async Task<int> Send(Model model, ulong sequence, int value, bool start = false, bool end = false)
    {
        using var request = Request(sequence, value);
        (request.SequenceStart, request.SequenceEnd) = (start, end);
        using var response = await model.InferAsync(request, default);
        Assert.Null(response.Error);
        return TestModels.Values(response).Single();
    }

    private static InferenceRequest Request(ulong sequence, int value)
    {
        var request = TestModels.Request(value);
        request.SequenceId = sequence;
        return request;
    }

    /// <summary>Y = X + STATE, STATE' = Y; checks that START comes with a state of zero. A sequence may idle for an hour, so that a machine that stands still between two requests loses none.</summary>
    private static Model Accumulator(TimeProvider? time = null, Action<Protocol.ModelConfig>? configure = null, ModelLimits? limits = null, Gate? gate = null) => TestModels.Make(
        (inputs, _) =>
        {
            gate?.Pass();
            var x = inputs.Find("X")!;
            var outputs = new TensorSet();
            outputs.Rent("Y", DataType.Int32, x.Shape, x.Data.Length, out var sum);
            outputs.Rent("STATE_OUT", DataType.Int32, x.Shape, x.Data.Length, out var state);
            for (var i = 0; i < x.Data.Length / 4; i++)
            {
                var before = MemoryMarshal.Cast<byte, int>(inputs.Find("STATE_IN")!.Data.Span)[i];
                Assert.True(before == 0 || MemoryMarshal.Cast<byte, int>(inputs.Find("START")!.Data.Span)[i] == 0);
                MemoryMarshal.Cast<byte, int>(sum.Span)[i] = MemoryMarshal.Cast<byte, int>(x.Data.Span)[i] + before;
            }

            sum.CopyTo(state);
            return outputs;
        },
        message =>
        {
            message.SequenceBatching = new Protocol.ModelSequenceBatching { MaxSequenceIdleMicroseconds = 3_600_000_000, Oldest = new() };
            var start = new Protocol.ModelSequenceBatching.Types.Control { Kind = Protocol.ModelSequenceBatching.Types.Control.Types.Kind.ControlSequenceStart, Int32FalseTrue = { 0, 1 } };
            message.SequenceBatching.ControlInput.Add(new Protocol.ModelSequenceBatching.Types.ControlInput { Name = "START", Control = { start } });
            message.SequenceBatching.State.Add(new Protocol.ModelSequenceBatching.Types.State { InputName = "STATE_IN", OutputName = "STATE_OUT", DataType = Protocol.DataType.TypeInt32, Dims = { 1 } });
            configure?.Invoke(message);
        },
        time,
        limits);
}
