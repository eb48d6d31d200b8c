/// <summary>Says a message again: all of it after a delay, or one repetition after the other, each after the delay.</summary>
public sealed class Echo : Function
{
    private const int MostCharacters = 16 << 20;

    public override async ValueTask<Outputs> InferAsync(Inputs inputs, FunctionRequest request)
    {
        var (message, delay, repeats) = Read(inputs);
        if ((long)message.Length * repeats > MostCharacters)
        {
            throw new FunctionException($"'message' of {message.Length} characters {repeats} times is more than {MostCharacters} characters; ask for a stream");
        }

        await Task.Delay(delay, request.Cancellation);
        return new Outputs { ["message"] = string.Concat(Enumerable.Repeat(message, repeats)) };
    }

    public override async IAsyncEnumerable<Outputs> StreamAsync(Inputs inputs, FunctionRequest request)
    {
        var (message, delay, repeats) = Read(inputs);
        for (var i = 0; i < repeats; i++)
        {
            await Task.Delay(delay, request.Cancellation);
            yield return new() { ["message"] = message };
        }
    }

    private static (string Message, TimeSpan Delay, int Repeats) Read(Inputs inputs)
    {
        var seconds = inputs.Get("delay", 0.000001);
        return seconds is >= 0 and <= 86_400
            ? (inputs.Get<string>("message"), TimeSpan.FromSeconds(seconds), Math.Max(0, inputs.Get("repeats", 1)))
            : throw new FunctionException($"'delay' must be from 0 to 86400 seconds, got {seconds}");
    }
}
