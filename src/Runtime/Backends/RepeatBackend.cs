using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Runtime.Inference;
using Runtime.Models;
using Runtime.Tensors;

namespace Runtime.Backends;

/// <summary>
/// Answers every element of IN with a response of its own (OUT the element, IDX its position) after DELAY milliseconds, and
/// ends no sooner than WAIT milliseconds after the request came.
/// </summary>
public sealed class RepeatBackend : IBackend
{
    public string Name => "repeat";

    public bool NeedsFiles => false;

    public ILoadedModel Load(ModelConfig config, string versionDirectory) => new FilelessModel(static config =>
    {
        StreamingTensors.Require(
            config,
            [("IN", DataType.Int32), ("DELAY", DataType.Uint32), ("WAIT", DataType.Uint32)],
            [("OUT", DataType.Int32), ("IDX", DataType.Uint32)]);
        return new Instance();
    });

    private sealed class Instance : IStreamingInstance
    {
        public async IAsyncEnumerable<TensorSet> ExecuteAsync(InferenceRequest request, [EnumeratorCancellation] CancellationToken cancellation)
        {
            var start = Stopwatch.GetTimestamp();
            var values = StreamingTensors.Get(request.Inputs, "IN");
            var delays = StreamingTensors.Get(request.Inputs, "DELAY");
            if (!values.Shape.AsSpan().SequenceEqual(delays.Shape))
            {
                throw new InferenceException(
                    ErrorCode.InvalidArgument,
                    $"expected IN and DELAY shape to match, got {Shapes.Text(values.Shape)} and {Shapes.Text(delays.Shape)}");
            }

            for (var i = 0; i < delays.ElementCount; i++)
            {
                await WaitAsync(TimeSpan.FromMilliseconds(Element<uint>(delays, i)), cancellation).ConfigureAwait(false);
                yield return Response(Element<int>(values, i), (uint)i);
            }

            var wait = TimeSpan.FromMilliseconds(Element<uint>(StreamingTensors.Get(request.Inputs, "WAIT"), 0));
            await WaitAsync(wait - Stopwatch.GetElapsedTime(start), cancellation).ConfigureAwait(false);
        }

        public void Dispose()
        {
        }

        private static Task WaitAsync(TimeSpan duration, CancellationToken cancellation)
        {
            var longest = TimeSpan.FromMilliseconds(int.MaxValue);
            return duration > TimeSpan.Zero ? Task.Delay(duration < longest ? duration : longest, cancellation) : Task.CompletedTask;
        }

        private static T Element<T>(Tensor tensor, int index)
            where T : unmanaged => MemoryMarshal.Cast<byte, T>(tensor.Data.Span)[index];

        private static TensorSet Response(int value, uint index)
        {
            var response = new TensorSet();
            response.Rent("OUT", DataType.Int32, [1], sizeof(int), out var output);
            MemoryMarshal.Write(output.Span, value);
            response.Rent("IDX", DataType.Uint32, [1], sizeof(uint), out var position);
            MemoryMarshal.Write(position.Span, index);
            return response;
        }
    }
}
