using Runtime.Devices;
using Runtime.Models.Configuration;

namespace Runtime.Tests.Models.Configuration;

public sealed class ConfigRulesTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory();

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public void Prepare_OnnxModel_FillsWhatFollows()
    {
        var config = Prepare("platform: 'onnxruntime_onnx' max_batch_size: 8 dynamic_batching { } instance_group [ { count: 3 }, { name: 'b' kind: KIND_MODEL } ]");

        Assert.Equal(("model", "onnxruntime", "onnxruntime_onnx", "model.onnx"), (config.Name, config.Backend, config.Platform, config.DefaultModelFilename));
        Assert.Equal(1u, config.VersionPolicy.Latest.NumVersions);
        Assert.True(config.Optimization.InputPinnedMemory.Enable && config.Optimization.OutputPinnedMemory.Enable);
        Assert.Equal([8], config.DynamicBatching.PreferredBatchSize);
        Assert.Equal(
            [("model_0", Protocol.ModelInstanceGroup.Types.Kind.Cpu, 3), ("b", Protocol.ModelInstanceGroup.Types.Kind.Model, 1)],
            config.InstanceGroup.Select(group => (group.Name, group.Kind, group.Count)));
    }

    [Theory]
    [InlineData("backend: 'onnxruntime'", "onnxruntime", "onnxruntime_onnx", "model.onnx", 2)]
    [InlineData("backend: 'onnxruntime' default_model_filename: 'other.onnx'", "onnxruntime", "onnxruntime_onnx", "other.onnx", 2)]
    [InlineData("default_model_filename: 'model.onnx'", "onnxruntime", "onnxruntime_onnx", "model.onnx", 2)]
    [InlineData("platform: 'pytorch_libtorch'", "pytorch", "pytorch_libtorch", "model.pt", 1)]
    [InlineData("backend: 'identity'", "identity", "", "", 1)]
    [InlineData("backend: 'mine' platform: 'mine_too'", "mine", "mine_too", "", 1)]
    [InlineData("platform: 'tensorflow_graphdef'", "tensorflow", "tensorflow_graphdef", "model.graphdef", 1)]
    public void Prepare_BackendOrPlatform_GivesTheOther(string text, string backend, string platform, string file, int instances)
    {
        var config = Prepare(text);
        Assert.Equal((backend, platform, file), (config.Backend, config.Platform, config.DefaultModelFilename));
        var group = Assert.Single(config.InstanceGroup);
        Assert.Equal(("model", Protocol.ModelInstanceGroup.Types.Kind.Cpu, instances), (group.Name, group.Kind, group.Count));
    }

    [Fact]
    public void Prepare_NothingConfigured_LooksAtTheFile()
    {
        File.WriteAllBytes(Path.Combine(_directory.CreateSubdirectory("3").FullName, "model.onnx"), []);
        Assert.Equal("onnxruntime", Prepare("").Backend);
    }

    [Theory]
    [InlineData("name: 'other'", "unexpected directory name 'model' for model 'other', directory name must equal model name; change 'name' or leave it away")]
    [InlineData("", "model 'model' names no backend: set 'backend' or 'platform'")]
    [InlineData("platform: 'onnxruntime_onx'", "unexpected platform type 'onnxruntime_onx' for model; did you mean 'onnxruntime_onnx'?")]
    [InlineData("platform: 'onnxruntime_onnx' backend: 'pytorch'", "model 'model': unexpected 'platform' and 'backend' pair, got: onnxruntime_onnx, pytorch")]
    [InlineData("platform: 'ensemble' backend: 'x'", "model 'model': platform 'ensemble' goes without a backend")]
    [InlineData("backend: 'x' max_batch_size: -1", "'max_batch_size' must be non-negative value for model, got -1")]
    [InlineData("backend: 'x' default_model_filename: '../../secret'", "model 'model': 'default_model_filename' must name a file inside the model's directory")]
    [InlineData("backend: 'x' instance_group { kind: KIND_GPU }", "instance group model_0 of model model has kind KIND_GPU but server does not support GPUs")]
    [InlineData("backend: 'x' instance_group { gpus: 0 }", "instance group model_0 of model model has kind KIND_CPU but specifies one or more GPUs")]
    [InlineData("backend: 'x' instance_group { count: -1 }", "instance group model_0 of model model must have a count of 1 or more, got -1")]
    [InlineData("backend: 'x' instance_group [ { count: 2147483647 }, { count: 2147483647 } ]", "model 'model': 'instance_group' asks for 4294967294 instances")]
    [InlineData("backend: 'x' version_policy { specific { } }", "model 'model': 'version_policy.specific.versions' must name versions")]
    [InlineData("platform: 'ensemble'", "model 'model': platform 'ensemble' needs 'ensemble_scheduling' with at least one step")]
    [InlineData("backend: 'x' ensemble_scheduling { }", "model 'model': 'ensemble_scheduling' needs platform 'ensemble'")]
    [InlineData("platform: 'ensemble' ensemble_scheduling { max_inflight_requests: 1 step { } }", "model 'model': 'ensemble_scheduling.max_inflight_requests' is not supported yet")]
    [InlineData("backend: 'x' sequence_batching { iterative_sequence: true }", "model 'model': 'sequence_batching.iterative_sequence' is not supported yet")]
    [InlineData("backend: 'x' batch_input { }", "model 'model': 'batch_input' is not supported yet")]
    [InlineData("backend: 'x' batch_output { }", "model 'model': 'batch_output' is not supported yet")]
    [InlineData("backend: 'x' input { allow_ragged_batch: true }", "model 'model': 'input.allow_ragged_batch' is not supported yet")]
    [InlineData("backend: 'x' output { is_shape_tensor: true }", "model 'model': 'is_shape_tensor' is not supported yet")]
    [InlineData("backend: 'x' input { is_non_linear_format_io: true }", "model 'model': 'is_non_linear_format_io' is not supported yet")]
    [InlineData("backend: 'x' instance_group { rate_limiter { priority: 1 } }", "model 'model': 'instance_group.rate_limiter' is not supported yet")]
    [InlineData("backend: 'x' instance_group { secondary_devices { } }", "model 'model': 'instance_group.secondary_devices' is not supported yet")]
    [InlineData("backend: 'x' instance_group { profile: '1' }", "model 'model': 'instance_group.profile' is not supported yet")]
    [InlineData("backend: 'x' instance_group { passive: true }", "model 'model': 'instance_group.passive' is not supported yet")]
    [InlineData("backend: 'x' instance_group { host_policy: 'p' }", "model 'model': 'instance_group.host_policy' is not supported yet")]
    [InlineData("backend: 'x' response_cache { enable: true } model_transaction_policy { decoupled: true }", "model 'model': 'response_cache' can not serve a decoupled model")]
    [InlineData("backend: 'x' response_cache { enable: true } sequence_batching { }", "model 'model': 'response_cache' can not serve 'sequence_batching'")]
    [InlineData("backend: 'x' model_operations { op_library_filename: 'a.so' }", "model 'model': 'model_operations' is not supported yet")]
    [InlineData("backend: 'x' model_repository_agents { agents { name: 'a' } }", "model 'model': 'model_repository_agents' is not supported yet")]
    [InlineData("backend: 'x' optimization { execution_accelerators { cpu_execution_accelerator { } } }", "model 'model': 'optimization.execution_accelerators' is not supported yet")]
    [InlineData("backend: 'x' optimization { cuda { graphs: true } }", "model 'model': 'optimization.cuda.graphs' is not supported yet")]
    [InlineData("backend: 'x' optimization { eager_batching: true }", "model 'model': 'optimization.eager_batching' is not supported yet")]
    [InlineData("backend: 'x' optimization { gather_kernel_buffer_threshold: 1 }", "model 'model': 'optimization.gather_kernel_buffer_threshold' is not supported yet")]
    [InlineData("backend: 'x' cc_model_filenames { key: '7.0' value: 'a' }", "model 'model': 'cc_model_filenames' is not supported yet")]
    [InlineData("backend: 'x' model_metrics { metric_control { } }", "model 'model': 'model_metrics' is not supported yet")]
    [InlineData("backend: 'x' metric_tags { key: 'a' value: 'b' }", "model 'model': 'metric_tags' is not supported yet")]
    public void Prepare_Fault_SaysWhy(string text, string expected) =>
        Assert.StartsWith(expected, Assert.Throws<ModelConfigException>(() => ConfigRules.CheckInstances(Prepare(text), GpuSupport.Never)).Message, StringComparison.Ordinal);

    [Fact]
    public void Prepare_IncompleteWithoutCompletion_IsRefused() =>
        Assert.Throws<ModelConfigException>(() => ConfigRules.Prepare(ModelConfigText.Parse("backend: 'x'", "f"), "model", _directory.FullName, autoComplete: false));

    [Fact]
    public void Prepare_HarmlessFields_Pass() => Prepare(
        "backend: 'x' runtime: 'r' optimization { priority: PRIORITY_MAX graph { level: 1 } cuda { busy_wait_events: true } input_pinned_memory { } } "
        + "response_cache { enable: true } model_metrics { } model_operations { } instance_group { rate_limiter { } } parameters { key: 'a' value { string_value: 'b' } }");

    [Theory]
    [InlineData("")]
    [InlineData("dynamic_batching { preferred_batch_size: [ 8, 1 ] preserve_ordering: true }")]
    [InlineData("dynamic_batching { priority_levels: 2 default_priority_level: 2 priority_queue_policy { key: 2 value { timeout_action: DELAY } } }")]
    [InlineData("model_warmup { batch_size: 8 inputs { key: 'A' value { zero_data: true } } }")]
    [InlineData("output { name: 'R' data_type: TYPE_FP32 dims: [ 4, -1 ] reshape { shape: [ 2, -1, 2 ] } }")]
    [InlineData("output { name: 'R' data_type: TYPE_FP32 dims: 1 reshape { } }")]
    [InlineData("sequence_batching { control_input { name: 'START' control { kind: CONTROL_SEQUENCE_START int32_false_true: [0, 1] } } state { input_name: 'S' output_name: 'T' data_type: TYPE_FP32 dims: 1 } } model_warmup { name: 'w' inputs { key: 'START' } inputs { key: 'S' } }")]
    public void Check_CompleteConfig_Passes(string addition) => ConfigRules.Check(Prepare(ConfigTexts.Served + addition));

    [Theory]
    [InlineData("input { data_type: TYPE_INT32 dims: 1 }", "model input must specify 'name' for model")]
    [InlineData("input { name: 'A' data_type: TYPE_INT32 dims: 1 }", "model 'model' has two entries of 'input' with the name 'A'")]
    [InlineData("input { name: 'C' dims: 1 }", "model 'model', input 'C': must specify 'data_type'")]
    [InlineData("input { name: 'C' data_type: TYPE_INT32 }", "model 'model', input 'C': must specify 'dims'")]
    [InlineData("input { name: 'C' data_type: TYPE_INT32 dims: [ 2, 0 ] }", "model 'model', input 'C': a dimension in 'dims' must be integer >= 1, or -1 to indicate a variable-size dimension, got [2,0]")]
    [InlineData("output { name: 'C' data_type: TYPE_INT32 dims: -2 }", "model 'model', output 'C': a dimension in 'dims' must be integer >= 1")]
    [InlineData("output { name: 'C' data_type: TYPE_INT32 dims: 4294967296 dims: 4294967296 }", "model 'model', output 'C': 'dims' [4294967296,4294967296] has more elements")]
    [InlineData("output { name: 'C' data_type: TYPE_INT32 dims: 4 reshape { shape: [ 2, 3 ] } }", "model 'model', output 'C': has different size for dims and reshape: [4] and [2,3]")]
    [InlineData("output { name: 'C' data_type: TYPE_INT32 dims: 4 reshape { shape: -1 } }", "model 'model', output 'C': has different size for dims and reshape: [4] and [-1]")]
    [InlineData("output { name: 'C' data_type: TYPE_INT32 dims: [-1, -1] reshape { shape: [-1, 1, -1] } }", "model 'model', output 'C': reshape with more than one variable-size")]
    [InlineData("output { name: 'C' data_type: TYPE_INT32 dims: 1 label_filename: '/etc/passwd' }", "model 'model': 'label_filename' must name a file inside")]
    [InlineData("input { name: 'C' data_type: TYPE_INT32 dims: 1 format: FORMAT_NHWC }", "model 'model', input 'C': formats NHWC and NCHW require 3 dims, got [1]")]
    [InlineData("dynamic_batching { preferred_batch_size: 0 }", "dynamic batching preferred size must be positive for model, got 0")]
    [InlineData("dynamic_batching { preferred_batch_size: 16 }", "dynamic batching preferred size must be <= max batch size for model, got 16 with 'max_batch_size' 8")]
    [InlineData("dynamic_batching { priority_levels: 2 }", "default priority level must be in range [1, 2] for model, got 0")]
    [InlineData("dynamic_batching { priority_levels: 2 default_priority_level: 3 }", "default priority level must be in range [1, 2] for model, got 3")]
    [InlineData("dynamic_batching { default_priority_level: 1 }", "model 'model': 'default_priority_level' needs 'priority_levels'")]
    [InlineData("dynamic_batching { priority_levels: 18446744073709551615 }", "model 'model': 'priority_levels' must be at most 65535")]
    [InlineData("dynamic_batching { priority_levels: 2 default_priority_level: 1 priority_queue_policy { key: 3 } }", "priority queue policy must have priority level in range [1, 2] for model, got 3")]
    [InlineData("dynamic_batching { preserve_ordering: true priority_levels: 2 default_priority_level: 1 }", "Only one priority level is allowed when 'preserve_ordering' is true for model")]
    [InlineData("dynamic_batching { preserve_ordering: true default_queue_policy { timeout_action: DELAY default_timeout_microseconds: 1 } }", "Queue policy can not have DELAY")]
    [InlineData("sequence_batching { oldest { preferred_batch_size: 9 } }", "sequence batching preferred size must be <= max batch size for model, got 9 with 'max_batch_size' 8")]
    [InlineData("sequence_batching { control_input { name: 'START' } }", "model 'model': sequence control input 'START' must specify its 'control'")]
    [InlineData("sequence_batching { control_input { name: 'ID' control { kind: CONTROL_SEQUENCE_CORRID int32_false_true: [0, 1] } } }", "model 'model': sequence control input 'ID' must specify the 'data_type' of its correlation ID")]
    [InlineData("sequence_batching { control_input { name: 'A' control { kind: CONTROL_SEQUENCE_START int32_false_true: [0, 1] } } }", "model 'model': 'A' is an 'input' and again an input of 'sequence_batching'")]
    [InlineData("sequence_batching { state { input_name: 'B' output_name: 'T' data_type: TYPE_FP32 dims: 1 } }", "model 'model': 'B' is an 'input' and again an input of 'sequence_batching'")]
    [InlineData("parameters { key: 'retry_failed_batch' value { string_value: 'yes' } }", "model 'model': parameter 'retry_failed_batch' must be 'true' or 'false', got 'yes'")]
    [InlineData("model_warmup { name: 'w' batch_size: 9 }", "model 'model', warmup sample 'w': batch size 9 is more than 'max_batch_size' 8")]
    [InlineData("model_warmup { name: 'w' inputs { key: 'X' } }", "model 'model', warmup sample 'w': unexpected input 'X', the model has A, B")]
    public void Check_Fault_SaysWhy(string addition, string expected)
    {
        var exception = Assert.Throws<ModelConfigException>(() => ConfigRules.Check(Prepare(ConfigTexts.Served + addition)));
        Assert.StartsWith(expected, exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("output { name: 'O' data_type: TYPE_INT32 dims: 1 }", "model 'model' has no 'input'")]
    [InlineData("input { name: 'I' data_type: TYPE_INT32 dims: 1 }", "model 'model' has no 'output'")]
    [InlineData("input { name: 'I' data_type: TYPE_INT32 dims: 1 reshape { } } output { name: 'O' data_type: TYPE_INT32 dims: 1 }", "model 'model', input 'I': cannot have empty reshape")]
    public void Check_ModelWithoutBatching_SaysWhatIsMissing(string text, string expected)
    {
        var exception = Assert.Throws<ModelConfigException>(() => ConfigRules.Check(Prepare("backend: 'identity' " + text)));
        Assert.StartsWith(expected, exception.Message, StringComparison.Ordinal);
    }

    private Protocol.ModelConfig Prepare(string text)
    {
        var config = ModelConfigText.Parse(text, "f");
        ConfigRules.Prepare(config, "model", _directory.FullName, autoComplete: true);
        return config;
    }
}
