namespace Runtime.Functions.Execution;

/// <summary>Which of its methods a function overrides, and so how it answers.</summary>
internal sealed record FunctionForm(bool Infers, bool Batches, bool Streams)
{
    /// <summary>Whether it answers a request once.</summary>
    public bool AnswersOnce => Infers || Batches;

    public bool IsEmpty => !AnswersOnce && !Streams;

    public static FunctionForm Of(Type type) => new(
        Overrides(type, nameof(Function.InferAsync), typeof(Inputs), typeof(FunctionRequest)),
        Overrides(type, nameof(Function.InferBatchAsync), typeof(IReadOnlyList<Inputs>), typeof(CancellationToken)),
        Overrides(type, nameof(Function.StreamAsync), typeof(Inputs), typeof(FunctionRequest)));

    private static bool Overrides(Type type, string method, params Type[] parameters)
        => type.GetMethod(method, parameters)!.DeclaringType != typeof(Function);
}
