using System.Buffers;
using System.Text;
using Runtime.Host.Nvcf;
using Runtime.Host.SharedMemory;
using Runtime.Inference;
using Runtime.Models;
using Runtime.Tensors;

namespace Runtime.Host.Grpc;

/// <summary>Where a requested output goes instead of into the response.</summary>
internal sealed record OutputPlacement(string Output, string Region, ulong Offset, ulong ByteSize);

/// <summary>Turns a decoded message into the request for a model: parameters, inputs in pooled or shared memory, requested outputs.</summary>
/// <remarks>The checks come in Triton's order; what only the configuration can tell is checked by the model.</remarks>
internal sealed class InferRequestBuilder(SharedMemoryRegions regions)
{
    /// <summary>The caller disposes the request, and fills those of its inputs that are assets before it is run. The placements are null where no output goes to shared memory.</summary>
    /// <exception cref="InferenceException">The message is no valid request.</exception>
    public InferenceRequest Build(InferMessage message, Model model, out List<OutputPlacement>? placements, NvcfRequest? nvcf = null)
    {
        var request = new InferenceRequest { Id = message.Id, Context = nvcf?.Context };
        try
        {
            InferParameters.Apply(request, message.Parameters);
            var types = message.Inputs.Count <= 8 ? stackalloc DataType[message.Inputs.Count] : new DataType[message.Inputs.Count];
            for (var i = 0; i < types.Length; i++)
            {
                types[i] = Type(message.Inputs[i]);
            }

            AddInputs(request, message, (model.Config, nvcf?.Assets), types);
            AddOutputs(request, message, model.Config, out placements);
            request.Inputs.AllowsDeviceOutputs = placements is not null && model.Config.MayAnswerOnDevice
                && placements.Count == request.Outputs.Count && placements.TrueForAll(placement => regions.IsOnGpu(placement.Region));
            return request;
        }
        catch
        {
            request.Dispose();
            throw;
        }
    }

    private void AddInputs(InferenceRequest request, InferMessage message, (ModelConfig Config, AssetInputs? Assets) context, ReadOnlySpan<DataType> types)
    {
        var raw = 0;
        for (var i = 0; i < types.Length; i++)
        {
            var wire = message.Inputs[i];
            var input = new Tensor(Name(wire.Name.Span, context.Config.Inputs), types[i], wire.Shape, default);
            if (SharedPlace.TryRead(wire.Parameters, input.Name, out var place))
            {
                AddShared(request, message.ModelName, input, place, wire.Contents is not null);
            }
            else if (context.Assets is { } assets && InferParameters.Find(wire.Parameters, AssetInputs.Key) is { } asset)
            {
                assets.Add(request.Inputs, input, AssetId(asset.Value, wire));
            }
            else if (wire.Contents is { } contents)
            {
                if (message.RawContents.Count > 0)
                {
                    throw Invalid($"contents field must not be specified when using raw_input_contents for '{input.Name}' for model '{message.ModelName}'");
                }

                TypedContents.Add(request, message.ModelName, input, contents.Span);
            }
            else if (raw < message.RawContents.Count)
            {
                var bytes = message.RawContents[raw++];
                request.Inputs.Rent(input.Name, input.Type, input.Shape, bytes.Length, out var memory);
                bytes.CopyTo(memory.Span);
            }
            else
            {
                throw Invalid($"unable to find data for input tensor '{input.Name}' for model '{message.ModelName}' in request.");
            }
        }
    }

    private static string AssetId(ParameterValue? id, WireTensor wire)
    {
        var name = WireReader.Text(wire.Name.Span);
        return wire.Contents is not null ? throw Invalid($"unexpected 'content' provided beside an asset for input tensor '{name}'")
            : id is { Kind: ParameterKind.String } text ? text.AsString
            : throw Invalid($"invalid value type for '{AssetInputs.Key}' parameter for tensor '{name}', expected string_param.");
    }

    private void AddShared(InferenceRequest request, string modelName, Tensor input, SharedPlace place, bool hasContents)
    {
        if (hasContents)
        {
            throw Invalid($"unexpected 'content' provided when using shared memory for input tensor '{input.Name}' for model '{modelName}'");
        }

        if (regions.TryMap(place.Region, place.Offset, place.ByteSize, out var lease) is { } error)
        {
            throw new InferenceException(error);
        }

        request.Inputs.Add(input with { Data = lease!.Memory }, lease);
    }

    private static void AddOutputs(InferenceRequest request, InferMessage message, ModelConfig config, out List<OutputPlacement>? placements)
    {
        placements = null;
        foreach (var wire in message.Outputs ?? [])
        {
            var name = Name(wire.Name.Span, config.Outputs);
            var classes = InferParameters.ClassificationCount(wire.Parameters);
            if (SharedPlace.TryRead(wire.Parameters, name, out var place))
            {
                if (classes > 0)
                {
                    throw Invalid($"output '{name}' can't set both 'shared_memory_region' and 'classification'");
                }

                (placements ??= []).Add(new OutputPlacement(name, place.Region, place.Offset, place.ByteSize));
            }

            request.Outputs.Add(new RequestedOutput(name, classes));
        }
    }

    private static DataType Type(WireTensor wire) => DataTypes.TryParse(wire.DataType.Span, out var type)
        ? type
        : throw Invalid($"invalid datatype '{Encoding.UTF8.GetString(wire.DataType.Span)}' for input {Encoding.UTF8.GetString(wire.Name.Span)}");

    /// <summary>The configuration's own string where it is the same, so that none is made.</summary>
    private static string Name(ReadOnlySpan<byte> utf8, IReadOnlyList<TensorConfig> known)
    {
        for (var i = 0; i < known.Count; i++)
        {
            if (Ascii.Equals(utf8, known[i].Name))
            {
                return known[i].Name;
            }
        }

        return WireReader.Text(utf8);
    }

    private static InferenceException Invalid(string message) => new(ErrorCode.InvalidArgument, message);

    /// <summary>The three parameters that put a tensor into a registered region.</summary>
    private readonly record struct SharedPlace(string Region, ulong Offset, ulong ByteSize)
    {
        public static bool TryRead(List<(string Key, ParameterValue? Value)>? parameters, string tensor, out SharedPlace place)
        {
            place = default;
            var region = InferParameters.Find(parameters, "shared_memory_region");
            var size = InferParameters.Find(parameters, "shared_memory_byte_size");
            if (region is null)
            {
                return size is null ? false : throw Invalid($"'shared_memory_region' must be given along with 'shared_memory_byte_size' for tensor '{tensor}'.");
            }

            if (region.Value.Value is not { Kind: ParameterKind.String } name)
            {
                throw Invalid($"invalid value type for 'shared_memory_region' parameter for tensor '{tensor}', expected string_param.");
            }

            if (size is null)
            {
                throw Invalid($"'shared_memory_byte_size' must be given along with 'shared_memory_region' for tensor '{tensor}'.");
            }

            var offset = InferParameters.Find(parameters, "shared_memory_offset");
            place = new SharedPlace(
                name.AsString,
                offset is null ? 0 : Count(offset.Value, "shared_memory_offset", tensor),
                Count(size.Value, "shared_memory_byte_size", tensor));
            return true;
        }

        private static ulong Count((string Key, ParameterValue? Value) parameter, string name, string tensor) => parameter.Value switch
        {
            { Kind: ParameterKind.Int64, AsInt64: >= 0 } value => (ulong)value.AsInt64,
            { Kind: ParameterKind.Uint64 } value => value.AsUint64,
            { Kind: ParameterKind.Int64 } value => throw Invalid($"invalid value {value.AsInt64} for '{name}' parameter for tensor '{tensor}', expected value >= 0."),
            _ => throw Invalid($"invalid value type for '{name}' parameter for tensor '{tensor}', expected int64_param."),
        };
    }
}
