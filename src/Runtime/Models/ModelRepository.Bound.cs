using System.Buffers;
using System.Text;
using System.Text.Json;
using Runtime.Inference;
using Runtime.Models.Configuration;

namespace Runtime.Models;

public sealed partial class ModelRepository
{
    private static readonly IReadOnlyDictionary<string, ReadOnlyMemory<byte>> NoFiles = new Dictionary<string, ReadOnlyMemory<byte>> { [".bound"] = default };

    /// <summary>Serves a model that has no directory, of a backend that needs none; whatever the control mode. Null when it serves.</summary>
    public Task<InferenceError?> AddAsync(Protocol.ModelConfig config, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(config);
        var json = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(json))
        {
            ModelConfigJson.Write(config, writer);
        }

        return ChangeAsync(config.Name, new LoadOverrides(Encoding.UTF8.GetString(json.WrittenSpan), NoFiles), cancellation);
    }
}
