namespace Runtime.Inference;

/// <summary>One fault of a request.</summary>
/// <param name="Input">The input's name as the request or the model has it; where a request names none, its place, such as <c>inputs[2]</c>.</param>
/// <param name="Code">A word for programs, such as <c>missing</c>.</param>
/// <param name="Message">The fault in words, the input's name included.</param>
public sealed record ErrorDetail(string Input, string Code, string Message);
