using System.IO.Pipelines;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Runtime.Host.Tests.Http;

/// <summary>One request to an endpoint without a server, and its answer.</summary>
internal static class HttpExchange
{
    /// <summary>Hands the request to the endpoint, the body in chunks of the given size, and gives what it answered.</summary>
    public static async Task<HttpAnswer> SendAsync(Func<HttpContext, Task> endpoint, byte[] body, int chunk = int.MaxValue, params (string Name, string Value)[] headers)
    {
        var context = new DefaultHttpContext();
        foreach (var (name, value) in headers)
        {
            context.Request.Headers.Append(name, value);
        }

        var answer = new MemoryStream();
        context.Response.Body = answer;
        context.Features.Set<IRequestBodyPipeFeature>(new BodyPipe(PipeReader.Create(new ChunkedStream(body, chunk))));
        if (!context.Request.Headers.ContainsKey("Transfer-Encoding"))
        {
            context.Request.ContentLength = body.Length;
        }

        await endpoint(context);
        await context.Response.BodyWriter.FlushAsync();
        return new HttpAnswer(context.Response.StatusCode, context.Response.Headers, answer.ToArray());
    }

    private sealed class BodyPipe(PipeReader reader) : IRequestBodyPipeFeature
    {
        public PipeReader Reader => reader;
    }

    /// <summary>Gives at most so many bytes per read.</summary>
    private sealed class ChunkedStream(byte[] bytes, int chunk) : MemoryStream(bytes, writable: false)
    {
        public override int Read(Span<byte> buffer) => base.Read(buffer[..Math.Min(buffer.Length, chunk)]);

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
            => ValueTask.FromResult(Read(buffer.Span));
    }
}

internal sealed record HttpAnswer(int Status, IHeaderDictionary Headers, byte[] Body)
{
    public string Text => Encoding.UTF8.GetString(Body);
}
