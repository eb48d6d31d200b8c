using Runtime.Inference;
using Runtime.Tensors;

namespace Runtime.Host.Http;

/// <summary>How a request whose inputs are a plain JSON object is answered.</summary>
internal sealed record GenerateForm
{
    /// <summary>The key of a route's body that asks for a stream, whether it is an input or not.</summary>
    private const string StreamKey = "stream";

    public static GenerateForm Single { get; } = new();

    public static GenerateForm Streaming { get; } = new() { AlwaysStreams = true };

    public AnswerFormat Format { get; private init; } = AnswerFormat.Generate;

    private bool AlwaysStreams { get; init; }

    private bool MayAskInBody { get; init; }

    /// <summary>The form of a model's own path.</summary>
    public static GenerateForm Of(ModelRoute route) => new() { Format = AnswerFormat.Route(route.Output), MayAskInBody = true };

    /// <summary>Whether this request is answered as events.</summary>
    public bool Streams(HttpContext context, InferenceRequest request)
        => AlwaysStreams || ServerSentEvents.AreAccepted(context) || (MayAskInBody && Asks(request));

    private static bool Asks(InferenceRequest request)
        => request.Inputs.Find(StreamKey) is { Type: DataType.Bool, Data.Length: 1 } input
            ? input.Data.Span[0] != 0
            : request.Parameters?.GetValueOrDefault(StreamKey) is { Kind: ParameterKind.Bool, AsBool: true };
}
