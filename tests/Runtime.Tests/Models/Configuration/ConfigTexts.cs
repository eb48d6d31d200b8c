namespace Runtime.Tests.Models.Configuration;

/// <summary>Configurations that several tests read.</summary>
internal static class ConfigTexts
{
    /// <summary>Every kind of field in every spelling that the text format has.</summary>
    public const string Everything = """
        # a comment, "quoted"
        name: 'every' "thing"; platform: "onnxruntime_onnx",
        max_batch_size: 0x10
        version_policy: < specific { versions: [1, 2] versions: 010 } >
        input [
          { name: "a\t\"b\"\x41\101\u00e9\U0001F600" data_type: TYPE_INT32 dims: [ -1, 3 ] reshape { shape: [] } },
          { name: "é" data_type: 11 dims: 4 dims: -1 optional: True }
        ]
        input: { name: "c" data_type: TYPE_STRING dims: - # negative
          7 }
        output { name: "OUT" data_type: TYPE_FP32 dims: 9223372036854775807 label_filename: "labels.txt" }
        optimization { graph { level: -1 } input_pinned_memory { enable: f } cuda { graph_spec { input { key: "x" value { dim: [1, 2] } } } } }
        sequence_batching {
          direct { minimum_slot_utilization: .5f }
          control_input [ { name: "S" control [ { kind: CONTROL_SEQUENCE_END fp32_false_true: [ -inf, nan, 1e3F, 2 ] bool_false_true: [t, 0] } ] } ]
        }
        instance_group [ { kind: KIND_CPU, count: 2; gpus: [ ] } ]
        parameters [ { key: "k" value { string_value: "v" } }, { value: { } } ]
        parameters { key: "only key" }
        metric_tags { key: "a" value: "b" };
        model_warmup { inputs { key: "I" value { dims: 1 random_data: false } } }
        model_metrics { metric_control { histogram_options { buckets: [0.5, 1e-3, 18446744073709551615] } } }
        """;

    /// <summary>A configuration that is served, of a model with two inputs and one output of 16 INT32.</summary>
    public const string Served = """
        name: "model"
        platform: "onnxruntime_onnx"
        max_batch_size: 8
        input [ { name: "A" data_type: TYPE_INT32 dims: [ 16 ] }, { name: "B" data_type: TYPE_INT32 dims: [ 16 ] } ]
        output [ { name: "SUM" data_type: TYPE_INT32 dims: [ 16 ] } ]
        instance_group [ { kind: KIND_CPU count: 1 } ]
        """;
}
