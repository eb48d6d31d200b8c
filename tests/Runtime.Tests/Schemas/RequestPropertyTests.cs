using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using Runtime.Inference;
using Runtime.Schemas;
using Runtime.Tensors;

namespace Runtime.Tests.Schemas;

public class RequestPropertyTests
{
    private static Gen<(DrawnRequest Request, string Fault, Random Random)> Broken(params string[] faults) =>
        from request in RequestGenerator.Requests
        from fault in Gen.Elements(faults)
        from seed in Gen.Choose(0, int.MaxValue)
        select (request, fault, new Random(seed));

    [Fact]
    public void Check_AnyFittingRequest_PassesInNormalShape() => PropertyChecks.ForAll(RequestGenerator.Requests, drawn =>
    {
        using var request = drawn.Tensors();

        Assert.Null(drawn.Validator.Check(request));
        Assert.All(drawn.Sent, (sent, index) => Assert.Equal(sent.Normal, request.Inputs[index].Shape));
        Assert.Null(drawn.Validator.Check(request));
    });

    [Fact]
    public void Explain_AnyFittingRequest_HasNoFault() => PropertyChecks.ForAll(RequestGenerator.Requests, drawn =>
    {
        Assert.Null(Explain(drawn, drawn.Infer(), RequestForm.Infer));
        Assert.Null(Explain(drawn, drawn.Generate(), RequestForm.Generate));
    });

    [Fact]
    public void Check_OneFault_IsNamedAlone() => PropertyChecks.ForAll(Broken("missing", "unknown", "duplicate", "wrong_datatype", "wrong_shape", "wrong_length"), broken =>
    {
        var (drawn, fault, random) = broken;
        var index = random.Next(drawn.Sent.Count);
        var input = drawn.Sent[index].Input;
        using var whole = drawn.Tensors();
        using var request = new InferenceRequest();
        for (var i = 0; i < whole.Inputs.Count; i++)
        {
            if (i != index || fault != "missing")
            {
                request.Inputs.Add(i == index ? Break(whole.Inputs[i], fault) : whole.Inputs[i]);
            }
        }

        if (fault is "unknown" or "duplicate")
        {
            SchemaRequests.Add(request, fault == "unknown" ? "stranger" : input.Name, input.Type, drawn.Sent[index].Shape);
        }

        AssertOnly(drawn.Validator.Check(request), input, fault);
    });

    [Fact]
    public void Explain_OneFaultInInfer_IsNamedAlone() => PropertyChecks.ForAll(
        Broken("missing", "unknown", "duplicate", "wrong_datatype", "wrong_shape", "wrong_length", "wrong_type", "out_of_range", "null", "wrong_nesting"), broken =>
    {
        var (drawn, fault, random) = broken;
        var index = random.Next(drawn.Sent.Count);
        var sent = drawn.Sent[index];
        var body = drawn.Infer();
        var inputs = body["inputs"]!.AsArray();
        if (fault == "missing")
        {
            inputs.RemoveAt(index);
        }
        else if (fault is "unknown" or "duplicate")
        {
            var more = sent.ToInfer(false);
            more["name"] = fault == "unknown" ? "stranger" : sent.Input.Name;
            inputs.Add(more);
        }
        else
        {
            inputs[index] = BreakInfer(sent, fault, random);
        }

        AssertOnly(Explain(drawn, body, RequestForm.Infer), sent.Input, Possible(fault, sent.Input));
    });

    [Fact]
    public void Explain_OneFaultInGenerate_IsNamedAlone() => PropertyChecks.ForAll(Broken("missing", "wrong_type", "out_of_range", "null", "wrong_nesting"), broken =>
    {
        var (drawn, fault, random) = broken;
        var sent = drawn.Sent[random.Next(drawn.Sent.Count)];
        var body = drawn.Generate();
        if (fault == "missing")
        {
            body.Remove(sent.Input.Name);
        }
        else
        {
            body[sent.Input.Name] = BreakElement(sent, fault, random);
        }

        AssertOnly(Explain(drawn, body, RequestForm.Generate), sent.Input, Possible(fault, sent.Input));
    });

    [Fact]
    public void Explain_AnyJson_IsAnAnswer() => PropertyChecks.ForAll(RequestGenerator.Requests.Zip(LiteralGenerator.Texts.ListOf()), drawn =>
    {
        var (request, texts) = drawn;
        var text = string.Concat(texts).Replace('\'', '"');
        foreach (var json in new[] { text, "{\"in_0\":" + text + "}", "{\"inputs\":[{\"name\":\"in_0\",\"shape\":[1],\"data\":" + text + "}]}" })
        {
            var details = SchemaRequests.Explain(request.Schema, json, RequestForm.Infer, request.MaxBatchSize)?.Details
                ?? SchemaRequests.Explain(request.Schema, json, RequestForm.Generate, request.MaxBatchSize)?.Details;
            Assert.True(details is null or { Count: > 0 and <= FaultList.Most });
        }
    });

    private static InferenceError? Explain(DrawnRequest drawn, JsonObject body, RequestForm form)
        => SchemaRequests.Explain(drawn.Schema, body.ToJsonString(), form, drawn.MaxBatchSize);

    private static Tensor Break(Tensor tensor, string fault) => fault switch
    {
        "wrong_datatype" => tensor with { Type = tensor.Type == DataType.Int32 ? DataType.Fp32 : DataType.Int32 },
        "wrong_shape" => tensor with { Shape = [1, 1, 1, 1, 1, .. tensor.Shape] },
        "wrong_length" => tensor with { Data = tensor.Data[..^1] },
        _ => tensor,
    };

    private static JsonObject BreakInfer(SentInput sent, string fault, Random random)
    {
        var input = sent.ToInfer(false, fault == "wrong_datatype" ? (sent.Input.Type == DataType.Int32 ? "FP32" : "INT32") : null);
        switch (fault)
        {
            case "wrong_datatype":
                break;
            case "wrong_shape":
                input["shape"] = new JsonArray([1, 1, 1, 1, 1, .. sent.Shape.Select(dimension => (JsonNode)dimension)]);
                break;
            case "wrong_length":
                input["data"]!.AsArray().Add(JsonNode.Parse(sent.Elements[0]));
                break;
            default:
                input["data"] = BreakElement(sent, fault, random);
                break;
        }

        return input;
    }

    /// <summary>The flat elements, one of them broken.</summary>
    private static JsonArray BreakElement(SentInput sent, string fault, Random random)
    {
        var elements = sent.Flat();
        elements[random.Next(elements.Count)] = fault switch
        {
            "null" => null,
            "wrong_nesting" => new JsonObject { ["a"] = 1 },
            "out_of_range" => JsonNode.Parse(SchemaDatatypes.IsFloat(sent.Input.Type) ? "-1e999" : "18446744073709551616"),
            _ => sent.Input.Type == DataType.Bytes ? 7 : "7",
        };
        return elements;
    }

    /// <summary>A number is of the wrong type where none is taken.</summary>
    private static string Possible(string fault, SchemaInput input) => fault == "out_of_range" && input.Type is (DataType.Bytes or DataType.Bool) ? "wrong_type" : fault;

    private static void AssertOnly(InferenceError? error, SchemaInput input, string fault)
    {
        if (fault == "missing" && !input.Required)
        {
            Assert.Null(error);
            return;
        }

        Assert.Equal([$"{(fault == "unknown" ? "stranger" : input.Name)} {fault}"], SchemaRequests.Codes(error));
    }
}
