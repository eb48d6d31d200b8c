using Runtime.Inference;
using Runtime.Models;
using Runtime.Models.Configuration;
using Runtime.Onnx;

namespace Runtime.Backends.Tests;

public class GpuOptionsTests
{
    [Fact]
    public void From_NothingConfigured_TakesWhatIsAskedForAndSearchesByHeuristic()
    {
        var options = Read("");

        Assert.Equal("arena_extend_strategy=kSameAsRequested cudnn_conv_algo_search=HEURISTIC enable_cuda_graph=0", Text(options.Cuda));
        Assert.Null(options.TensorRt);
        Assert.False(options.UsesGraphs);
        Assert.False(options.SharesSession);
    }

    [Fact]
    public void From_HostsSettings_HoldWhereTheModelIsSilent()
    {
        var host = new OnnxOptions { GpuMemoryLimit = 1000, CudnnConvAlgorithmSearch = "EXHAUSTIVE" };

        Assert.Equal("arena_extend_strategy=kSameAsRequested cudnn_conv_algo_search=EXHAUSTIVE enable_cuda_graph=0 gpu_mem_limit=1000", Text(Read("", host).Cuda));
        Assert.Equal("7", Read(Parameter("gpu_mem_limit", "7"), host).Cuda["gpu_mem_limit"]);
    }

    [Theory]
    [InlineData("cudnn_conv_algo_search", "0", "EXHAUSTIVE")]
    [InlineData("cudnn_conv_algo_search", "DEFAULT", "DEFAULT")]
    [InlineData("arena_extend_strategy", "0", "kNextPowerOfTwo")]
    [InlineData("arena_extend_strategy", "kSameAsRequested", "kSameAsRequested")]
    [InlineData("use_tf32", "false", "0")]
    [InlineData("prefer_nhwc", "1", "1")]
    [InlineData("gpu_mem_limit", "18446744073709551615", "18446744073709551615")]
    public void From_Parameter_IsTheProvidersOption(string name, string value, string expected)
    {
        Assert.Equal(expected, Read(Parameter(name, value)).Cuda[name]);
        Assert.Equal(expected, Read(Accelerator("cuda", name, value)).Cuda[name]);
    }

    [Theory]
    [InlineData("cudnn_conv_algo_search", "FAST", "must be one of 0, EXHAUSTIVE, 1, HEURISTIC, 2, DEFAULT, got 'FAST'")]
    [InlineData("use_tf32", "yes", "must be one of 0, false, 1, true, got 'yes'")]
    [InlineData("gpu_mem_limit", "-1", "must be a whole number, got '-1'")]
    [InlineData("share_session_between_instances", "2", "must be one of 0, false, 1, true, got '2'")]
    public void From_BadValue_IsRefused(string name, string value, string expected)
        => Assert.Equal($"parameter '{name}' of model 'm' {expected}", Error(Parameter(name, value)));

    [Fact]
    public void From_TensorRt_TakesTritonsNamesAndOnnxRuntimes()
    {
        var options = Read("optimization { execution_accelerators { gpu_execution_accelerator { name: 'tensorrt' "
            + "parameters { key: 'precision_mode' value: 'FP16' } parameters { key: 'max_workspace_size_bytes' value: '99' } parameters { key: 'trt_engine_cache_enable' value: '1' } } } }");

        Assert.Equal("trt_engine_cache_enable=1 trt_fp16_enable=1 trt_max_workspace_size=99", Text(options.TensorRt!));
    }

    [Theory]
    [InlineData("openvino", "a", "b", "model 'm' asks for the execution accelerator 'openvino'; this host knows tensorrt and cuda")]
    [InlineData("tensorrt", "speed", "1", "execution accelerator 'tensorrt' of model 'm' has no parameter 'speed'; it has precision_mode, max_workspace_size_bytes, and ONNX Runtime's own, which begin with trt_")]
    [InlineData("tensorrt", "precision_mode", "FP8", "parameter 'precision_mode' of model 'm' must be one of FP32, FP16, INT8, got 'FP8'")]
    public void From_UnknownAccelerator_IsRefused(string name, string key, string value, string expected) => Assert.Equal(expected, Error(Accelerator(name, key, value)));

    [Fact]
    public void From_UnknownCudaParameter_NamesThoseThereAre()
        => Assert.StartsWith("execution accelerator 'cuda' of model 'm' has no parameter 'speed'; it has gpu_mem_limit, ", Error(Accelerator("cuda", "speed", "1")), StringComparison.Ordinal);

    [Theory]
    [InlineData("optimization { cuda { graphs: true } }")]
    [InlineData("parameters { key: 'enable_cuda_graph' value: { string_value: '1' } }")]
    public void From_Graphs_ByFieldOrParameter(string text)
    {
        Assert.True(Read(text).UsesGraphs);
        Assert.Equal(
            "model 'm' cannot both use CUDA graphs and set 'share_session_between_instances', as a graph serves one instance",
            Error(text + Parameter("share_session_between_instances", "true")));
    }

    private static string Parameter(string name, string value) => $" parameters {{ key: '{name}' value: {{ string_value: '{value}' }} }}";

    private static string Accelerator(string name, string key, string value)
        => $"optimization {{ execution_accelerators {{ gpu_execution_accelerator {{ name: '{name}' parameters {{ key: '{key}' value: '{value}' }} }} }} }}";

    private static GpuOptions Read(string text, OnnxOptions? host = null)
        => GpuOptions.From(ModelConfig.From(ModelConfigText.Parse("name: 'm' backend: 'onnxruntime' " + text, "config.pbtxt")), host ?? new OnnxOptions());

    private static string Error(string text) => Assert.Throws<InferenceException>(() => Read(text)).Message;

    private static string Text(Dictionary<string, string> options) => string.Join(' ', options.OrderBy(option => option.Key, StringComparer.Ordinal).Select(option => $"{option.Key}={option.Value}"));
}
