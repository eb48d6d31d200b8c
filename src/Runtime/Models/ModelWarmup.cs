using Runtime.Inference;
using Runtime.Tensors;

namespace Runtime.Models;

/// <summary>The requests that a configuration wants run before the model serves, so that no client pays for the first one.</summary>
internal static class ModelWarmup
{
    private const string Folder = "warmup";

    /// <summary>Runs every sample, as often as it says, through a model whose instances do not run them themselves.</summary>
    /// <exception cref="InferenceException">A sample failed, or its data cannot be had.</exception>
    public static async Task RunAsync(Model model, string directory)
    {
        foreach (var sample in model.Config.Message.ModelWarmup)
        {
            for (var run = 0; run < Math.Max(1, sample.Count); run++)
            {
                using var request = Request(model.Config, sample, directory);
                if (await AskAsync(model, request).ConfigureAwait(false) is { } error)
                {
                    throw Failed(model.Config, sample, error);
                }
            }
        }
    }

    private static async Task<InferenceError?> AskAsync(Model model, InferenceRequest request)
    {
        if (model.AnswersOnce)
        {
            using var answer = await model.InferAsync(request, CancellationToken.None).ConfigureAwait(false);
            return answer.Error;
        }

        InferenceError? error = null;
        await foreach (var response in model.StreamAsync(request, CancellationToken.None).ConfigureAwait(false))
        {
            error = response.Error;
            response.Dispose();
        }

        return error;
    }

    /// <summary>Says which sample of which model an error is about.</summary>
    public static InferenceException Failed(ModelConfig config, Protocol.ModelWarmup sample, InferenceError error)
        => new(error with { Message = $"warm-up sample '{sample.Name}' of model '{config.Name}' failed: {error.Message}" });

    /// <summary>The request of a sample, of one row for a sequence model and otherwise of all of its rows; the caller disposes it.</summary>
    /// <exception cref="InferenceException">Its data cannot be had, or is not of its tensor's size.</exception>
    public static InferenceRequest Request(ModelConfig config, Protocol.ModelWarmup sample, string directory)
    {
        var isSequence = config.SequenceBatching is not null;
        var request = new InferenceRequest { Id = $"warm-up {sample.Name}", SequenceId = isSequence ? 1u : 0u, SequenceStart = true, SequenceEnd = true };
        try
        {
            // A sequence's controls and states may be named too, as Triton wants them; they are filled here as for any request.
            foreach (var (name, input) in sample.Inputs.Where(given => config.Inputs.Any(known => known.Name == given.Key)))
            {
                var rows = config.IsBatching && !isSequence ? Math.Max(1, sample.BatchSize) : 1;
                long[] shape = config.IsBatching ? [rows, .. input.Dims] : [.. input.Dims];
                Fill(request, new Tensor(name, ConfigDataTypes.From(input.DataType), shape, default), rows, Content(config, name, input, directory));
            }

            return request;
        }
        catch
        {
            request.Dispose();
            throw;
        }
    }

    private static void Fill(InferenceRequest request, Tensor tensor, uint rows, (string File, byte[] Bytes, bool IsRandom) content)
    {
        // An element of BYTES is at least its length, which is 0.
        var size = tensor.Type == DataType.Bytes ? Shapes.ByteSize(DataType.Int32, tensor.Shape) : Shapes.ByteSize(tensor.Type, tensor.Shape);
        if (size < 0 || size > Array.MaxLength)
        {
            throw Invalid($"the dimensions {Shapes.Text(tensor.Shape)} of input '{tensor.Name}' in {request.Id} must be those of a tensor that fits into memory");
        }

        var repeats = 1u;
        if (content.File.Length > 0)
        {
            repeats = Repeats(tensor, content.Bytes, size, rows)
                ?? throw Invalid($"warm-up file {content.File} must have {size} bytes for input '{tensor.Name}'{(rows > 1 ? $", or {size / rows} for one row of it" : "")}, and has {content.Bytes.Length}");
            size = content.Bytes.Length * (long)repeats;
        }

        request.Inputs.Rent(tensor.Name, tensor.Type, tensor.Shape, size, out var memory);
        memory.Span.Clear();
        for (var i = 0; i < repeats; i++)
        {
            content.Bytes.CopyTo(memory[(i * content.Bytes.Length)..]);
        }

        if (content.IsRandom && tensor.Type is not (DataType.Bytes or DataType.Bool))
        {
            Random.Shared.NextBytes(memory.Span);
        }
    }

    /// <summary>How often a file's content goes into the tensor: once for the whole, or once for each row as with Triton; null where it fits neither.</summary>
    private static uint? Repeats(Tensor tensor, byte[] content, long size, uint rows)
    {
        if (tensor.Type == DataType.Bytes)
        {
            return CountElements(content) == tensor.ElementCount / rows ? rows : 1; // the request's check counts the rest
        }

        return content.Length == size ? 1 : content.Length == size / rows ? rows : null;
    }

    private static long CountElements(ReadOnlySpan<byte> content)
    {
        long count = 0;
        for (; content.Length >= sizeof(uint); count++)
        {
            var length = System.Buffers.Binary.BinaryPrimitives.ReadUInt32LittleEndian(content);
            if (length > content.Length - sizeof(uint))
            {
                return -1;
            }

            content = content[(sizeof(uint) + (int)length)..];
        }

        return content.Length == 0 ? count : -1;
    }

    private static (string File, byte[] Bytes, bool IsRandom) Content(ModelConfig config, string name, Protocol.ModelWarmup.Types.Input input, string directory)
    {
        if (!input.HasInputDataFile)
        {
            return ("", [], input.RandomData);
        }

        var file = $"{Folder}/{input.InputDataFile}";
        var path = ModelFile.FindIn(directory, Folder, input.InputDataFile)
            ?? throw Invalid($"unable to find warm-up file {file} for input '{name}' of model '{config.Name}'");
        return (file, File.ReadAllBytes(path), false);
    }

    private static InferenceException Invalid(string message) => new(ErrorCode.InvalidArgument, message);
}
