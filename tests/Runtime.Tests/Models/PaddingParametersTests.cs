using System.Buffers.Binary;
using Runtime.Inference;
using Runtime.Models;
using Runtime.Models.Configuration;
using Runtime.Tensors;

namespace Runtime.Tests.Models;

public class PaddingParametersTests
{
    [Fact]
    public void Read_NoParameterAboutPadding_GivesNothing() => Assert.Null(PaddingParameters.Read(Config("padding=true")));

    [Fact]
    public void Read_TokensMaskAndOutput_GivesAxesBehindTheBatchDimension()
    {
        var padding = PaddingParameters.Read(Config("pad.IDS.dim=0", "pad.IDS.value=-7", "pad.MASK.dim=1", "pad.MASK.like=IDS", "pad.OUT.dim=1", "pad.buckets=16, 32,64"))!;

        Assert.Equal(["IDS:1:", "MASK:2:IDS"], padding.Inputs.Select(input => $"{input.Name}:{input.Axis}:{input.Like}"));
        Assert.Equal(-7, BinaryPrimitives.ReadInt64LittleEndian(padding.Inputs[0].Element));
        Assert.Equal([new PaddedOutput("OUT", 2, "IDS")], padding.Outputs);
        Assert.Equal([16, 32, 64], padding.Buckets);
    }

    [Fact]
    public void Read_NameWithDots_IsFound()
    {
        var config = Config("pad.encoder.in.dim=0");
        config = config with { Inputs = [config.Inputs[0] with { Name = "encoder.in" }] };

        Assert.Equal("encoder.in", PaddingParameters.Read(config)!.Inputs.Single().Name);
    }

    [Theory]
    [InlineData("neither an input nor an output 'NONE'", "pad.IDS.dim=0", "pad.NONE.dim=0")]
    [InlineData("unknown parameter 'pad.IDS.size'", "pad.IDS.dim=0", "pad.IDS.size=0")]
    [InlineData("unknown parameter 'pad.dim'", "pad.IDS.dim=0", "pad.dim=0")]
    [InlineData("one of the 1 dimensions of input 'IDS', counted from 0 without the batch dimension, got '1'", "pad.IDS.dim=1")]
    [InlineData("got 'first'", "pad.IDS.dim=first")]
    [InlineData("got '-1'", "pad.IDS.dim=-1")]
    [InlineData("dimension 0 of input 'MASK' is always 2", "pad.MASK.dim=0")]
    [InlineData("dimension 0 of output 'OUT' is always 3", "pad.IDS.dim=0", "pad.OUT.dim=0")]
    [InlineData("must be a value of TYPE_INT64, as input 'IDS' is, got '0.5'", "pad.IDS.dim=0", "pad.IDS.value=0.5")]
    [InlineData("'OUT' is an output, which is cut and not filled", "pad.IDS.dim=0", "pad.OUT.dim=1", "pad.OUT.value=0")]
    [InlineData("needs 'pad.MASK.dim' beside it", "pad.IDS.dim=0", "pad.MASK.value=0")]
    [InlineData("names no input to pad", "pad.OUT.dim=1")]
    [InlineData("names no input to pad", "pad.buckets=16")]
    [InlineData("must be ascending lengths above 0, separated by commas, got '16,16'", "pad.IDS.dim=0", "pad.buckets=16,16")]
    [InlineData("got '0,16'", "pad.IDS.dim=0", "pad.buckets=0,16")]
    [InlineData("got '16,'", "pad.IDS.dim=0", "pad.buckets=16,")]
    [InlineData("got '16;32'", "pad.IDS.dim=0", "pad.buckets=16;32")]
    [InlineData("'pad.OUT.like' must say which one's output 'OUT' has: IDS, MASK", "pad.IDS.dim=0", "pad.MASK.dim=1", "pad.OUT.dim=1")]
    [InlineData("one of [IDS], got 'OTHER'", "pad.IDS.dim=0", "pad.MASK.dim=1", "pad.MASK.like=OTHER")]
    [InlineData("names the input itself", "pad.IDS.dim=0", "pad.IDS.like=IDS")]
    public void Read_WrongParameter_SaysWhatIsWrong(string expected, params string[] parameters)
    {
        var exception = Assert.Throws<InferenceException>(() => PaddingParameters.Read(Config(parameters)));

        Assert.StartsWith("model 'test' ", exception.Message, StringComparison.Ordinal);
        Assert.Contains(expected, exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_NeitherBatchesNorBuckets_WouldNeverPad()
    {
        var config = Config("pad.IDS.dim=0") with { DynamicBatching = null };

        Assert.Contains("would never pad", Assert.Throws<InferenceException>(() => PaddingParameters.Read(config)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_LengthOfAnOptionalInput_IsRefused()
    {
        var config = Config("pad.IDS.dim=0", "pad.OUT.dim=1");
        config = config with { Inputs = [config.Inputs[0] with { Optional = true }, config.Inputs[1]] };

        Assert.Contains("input 'IDS', which is optional", Assert.Throws<InferenceException>(() => PaddingParameters.Read(config)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_ReshapedOrDecoupled_IsRefused()
    {
        var config = Config("pad.IDS.dim=0");
        var reshaped = config with { Inputs = [config.Inputs[0] with { Reshape = [-1, 1] }, config.Inputs[1]] };

        Assert.Contains("reshapes input 'IDS'", Assert.Throws<InferenceException>(() => PaddingParameters.Read(reshaped)).Message, StringComparison.Ordinal);
        Assert.Contains("is decoupled", Assert.Throws<InferenceException>(() => PaddingParameters.Read(config with { IsDecoupled = true })).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Check_Ensemble_IsRefused()
    {
        var message = new Protocol.ModelConfig { Name = "test", Platform = "ensemble", EnsembleScheduling = new Protocol.ModelEnsembling() };
        message.Parameters["pad.X.dim"] = new Protocol.ModelParameter { StringValue = "0" };

        Assert.Contains("set them on the models of its steps", Assert.Throws<ModelConfigException>(() => ConfigRules.Check(message)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Model_WrongParameter_DoesNotLoadAndFreesWhatWasLoaded()
    {
        var loaded = new FunctionModel(TestModels.AddOne);
        var config = TestModels.Config(message => message.Parameters["pad.X.dim"] = new Protocol.ModelParameter { StringValue = "4" });

        Assert.Throws<InferenceException>(() => new Model(config, 1, loaded, new Dictionary<string, string[]>(), TimeProvider.System));
        Assert.Equal(1, loaded.Disposed);
    }

    [Theory]
    [InlineData(DataType.Bool, "true", "01")]
    [InlineData(DataType.Bool, null, "00")]
    [InlineData(DataType.Bool, "2", null)]
    [InlineData(DataType.Uint8, "255", "FF")]
    [InlineData(DataType.Uint8, "256", null)]
    [InlineData(DataType.Uint8, "-1", null)]
    [InlineData(DataType.Int8, "-128", "80")]
    [InlineData(DataType.Int32, "-100", "9CFFFFFF")]
    [InlineData(DataType.Int32, "", null)]
    [InlineData(DataType.Uint64, "18446744073709551615", "FFFFFFFFFFFFFFFF")]
    [InlineData(DataType.Fp16, "-1.5", "00BE")]
    [InlineData(DataType.Fp16, "70000", null)]
    [InlineData(DataType.Bf16, "1", "803F")]
    [InlineData(DataType.Bf16, "-inf", "80FF")]
    [InlineData(DataType.Fp32, "-inf", "000080FF")]
    [InlineData(DataType.Fp32, "1e39", null)]
    [InlineData(DataType.Fp32, "one", null)]
    [InlineData(DataType.Fp64, null, "0000000000000000")]
    [InlineData(DataType.Bytes, null, "00000000")]
    [InlineData(DataType.Bytes, "[P]", "030000005B505D")]
    public void TryParse_TextOfADatatype_GivesTheElementOrNothing(DataType type, string? text, string? expected)
        => Assert.Equal(expected, PaddingElement.TryParse(type, text) is { } element ? Convert.ToHexString(element) : null);

    /// <summary>INT64 IDS [-1] and MASK [2,-1], FP32 OUT [3,-1], with dynamic batching.</summary>
    private static ModelConfig Config(params string[] parameters) => TestModels.Config(message =>
    {
        message.Input.Clear();
        message.Output.Clear();
        message.Input.Add(new Protocol.ModelInput { Name = "IDS", DataType = Protocol.DataType.TypeInt64, Dims = { -1 } });
        message.Input.Add(new Protocol.ModelInput { Name = "MASK", DataType = Protocol.DataType.TypeInt64, Dims = { 2, -1 } });
        message.Output.Add(new Protocol.ModelOutput { Name = "OUT", DataType = Protocol.DataType.TypeFp32, Dims = { 3, -1 } });
        message.DynamicBatching = new Protocol.ModelDynamicBatching();
        foreach (var parameter in parameters)
        {
            var parts = parameter.Split('=');
            message.Parameters[parts[0]] = new Protocol.ModelParameter { StringValue = parts[1] };
        }
    });
}
