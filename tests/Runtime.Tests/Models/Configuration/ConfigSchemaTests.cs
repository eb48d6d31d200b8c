using Google.Protobuf.Reflection;
using Runtime.Models.Configuration;

namespace Runtime.Tests.Models.Configuration;

/// <summary>The description that configurations are read against, beside the one that Google.Protobuf makes of the same file.</summary>
public sealed class ConfigSchemaTests
{
    [Fact]
    public void ModelConfig_AllMessages_AreAsGoogleProtobufDescribesThem()
    {
        var seen = new HashSet<string>();
        Compare(Protocol.ModelConfig.Descriptor, ConfigSchema.ModelConfig, seen);
        Assert.Contains("inference.ModelOptimizationPolicy.Cuda.GraphSpec.LowerBound.InputEntry", seen);
    }

    [Fact]
    public void Parse_DefaultsThatAreSet_ArePresent()
    {
        var config = ModelConfigText.Parse(
            """
            optimization { cuda { } } version_policy { latest { num_versions: 0 } }
            model_warmup { inputs { key: "" value { input_data_file: "" } } inputs { key: "z" value { zero_data: false } } inputs { key: "none" } }
            dynamic_batching { priority_queue_policy { value { } } preferred_batch_size: [ 0, -2147483648 ] }
            """,
            "f");
        Assert.NotNull(config.Optimization.Cuda);
        Assert.Equal(0u, config.VersionPolicy.Latest.NumVersions);
        var inputs = config.ModelWarmup[0].Inputs;
        Assert.Equal(Protocol.ModelWarmup.Types.Input.InputDataTypeOneofCase.InputDataFile, inputs[""].InputDataTypeCase);
        Assert.Equal(Protocol.ModelWarmup.Types.Input.InputDataTypeOneofCase.ZeroData, inputs["z"].InputDataTypeCase);
        Assert.Equal(Protocol.ModelWarmup.Types.Input.InputDataTypeOneofCase.None, inputs["none"].InputDataTypeCase);
        Assert.Equal(new Protocol.ModelQueuePolicy(), config.DynamicBatching.PriorityQueuePolicy[0]);
        Assert.Equal([0, int.MinValue], config.DynamicBatching.PreferredBatchSize);
    }

    private static void Compare(MessageDescriptor expected, ConfigMessage actual, HashSet<string> seen)
    {
        if (!seen.Add(expected.FullName))
        {
            return;
        }

        Assert.Equal(expected.Name, actual.Name);
        Assert.Equal(expected.GetOptions() is { MapEntry: true }, actual.IsMapEntry);
        var fields = expected.Fields.InDeclarationOrder();
        Assert.Equal(fields.Select(field => field.Name), actual.Fields.Select(field => field.Name));
        for (var i = 0; i < fields.Count; i++)
        {
            Compare(fields[i], actual.Fields[i]);
            Assert.Equal(Rivals(fields[i]), actual.Fields.Where(actual.Fields[i].Excludes).Select(field => field.Name));
            if (fields[i].FieldType == FieldType.Message)
            {
                Compare(fields[i].MessageType, actual.Fields[i].Message, seen);
            }
        }
    }

    private static void Compare(FieldDescriptor expected, ConfigField actual)
    {
        Assert.Equal(expected.FieldNumber, actual.Number);
        Assert.Equal(expected.JsonName, actual.JsonName);
        Assert.Equal(expected.FieldType.ToString(), actual.Type.ToString(), ignoreCase: true);
        Assert.Equal(expected.IsRepeated, actual.IsRepeated);
        Assert.Equal(expected.IsMap, actual.IsMap);
        if (expected.FieldType == FieldType.Enum)
        {
            Assert.Equal(expected.EnumType.Values.Select(value => value.Name), actual.Enum.Names);
            Assert.Equal(expected.EnumType.Values.Select(value => (int?)value.Number), actual.Enum.Names.Select(actual.Enum.Find));
        }
    }

    private static IEnumerable<string> Rivals(FieldDescriptor field) =>
        field.RealContainingOneof?.Fields.Where(other => other != field).Select(other => other.Name) ?? [];
}
