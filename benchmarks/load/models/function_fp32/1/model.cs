/// <summary>Gives its input back: what a function costs that costs nothing itself.</summary>
public sealed class Passing : Function
{
    public override ValueTask<Outputs> InferAsync(Inputs inputs, FunctionRequest request) => new Outputs { ["OUTPUT0"] = inputs.GetTensor("INPUT0") };
}
