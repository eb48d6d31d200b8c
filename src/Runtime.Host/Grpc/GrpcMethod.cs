using Google.Protobuf;
using Runtime.Host.Http;
using Runtime.Host.Lifecycle;
using Runtime.Inference;

namespace Runtime.Host.Grpc;

/// <summary>What can be called, under <c>/package.Service/Method</c>.</summary>
/// <param name="service">The service with its package.</param>
/// <param name="name">The method.</param>
/// <param name="group">The group that restricts it; null for none.</param>
internal abstract class GrpcMethod(string service, string name, ApiGroup? group)
{
    public string Service { get; } = service;

    public string Name { get; } = name;

    /// <summary>Whether its calls are inferences, which are logged and traced.</summary>
    public virtual bool IsInference => false;

    public string Path { get; } = $"/{service}/{name}";

    public ApiGroup? Group { get; } = group;

    /// <summary>Serves one call to its end. Exceptions become statuses, as <see cref="GrpcServer"/> says.</summary>
    public abstract ValueTask<GrpcStatus> InvokeAsync(GrpcCall call);

    /// <summary>Reads the only message of a call that has one.</summary>
    /// <exception cref="GrpcException">There is none.</exception>
    protected static async ValueTask ReadOnlyMessageAsync(GrpcCall call)
    {
        if (!await call.Reader.ReadAsync(call.Cancellation))
        {
            throw NoMessage();
        }
    }

    protected static GrpcException NoMessage() => new(GrpcStatus.Internal("The request has no message; the method takes one."));

    /// <summary>Waits for the end of a request that should have ended.</summary>
    /// <exception cref="GrpcException">There is another message.</exception>
    protected static async ValueTask ReadEndAsync(GrpcCall call)
    {
        if (await call.Reader.ReadMoreAsync(call.Cancellation) != FrameState.None)
        {
            throw new GrpcException(GrpcStatus.Internal("The request has a second message; the method takes one."));
        }
    }
}

/// <summary>What a handler answers: a message, or why there is none.</summary>
internal readonly record struct Reply<TResponse>(TResponse? Message, InferenceError? Error)
    where TResponse : class
{
    public static implicit operator Reply<TResponse>(TResponse message) => new(message, null);

    public static implicit operator Reply<TResponse>(InferenceError error) => new(null, error);
}

/// <summary>One request, one response.</summary>
internal sealed class UnaryMethod<TRequest, TResponse>(
    (string Service, string Name, ApiGroup? Group) name, MessageParser<TRequest> parser, Func<TRequest, GrpcCall, ValueTask<Reply<TResponse>>> handler)
    : GrpcMethod(name.Service, name.Name, name.Group)
    where TRequest : class, IMessage<TRequest>
    where TResponse : class, IMessage
{
    public override async ValueTask<GrpcStatus> InvokeAsync(GrpcCall call)
    {
        await ReadOnlyMessageAsync(call);
        var request = parser.ParseFrom(call.Reader.Message);
        await ReadEndAsync(call);
        var reply = await handler(request, call);
        if (reply.Error is not null)
        {
            return GrpcErrors.Status(reply.Error);
        }

        call.Writer.Write(reply.Message!);
        return GrpcStatus.Ok;
    }
}

/// <summary>One request, any number of responses, which the handler sends.</summary>
internal sealed class ServerStreamMethod<TRequest, TResponse>(
    (string Service, string Name, ApiGroup? Group) name, MessageParser<TRequest> parser, Func<TRequest, GrpcCall, Func<TResponse, ValueTask>, Task> handler)
    : GrpcMethod(name.Service, name.Name, name.Group)
    where TRequest : class, IMessage<TRequest>
    where TResponse : class, IMessage
{
    public override async ValueTask<GrpcStatus> InvokeAsync(GrpcCall call)
    {
        await ReadOnlyMessageAsync(call);
        var request = parser.ParseFrom(call.Reader.Message);
        await ReadEndAsync(call);
        await handler(request, call, response =>
        {
            call.Writer.Write(response);
            return call.Writer.FlushAsync(call.Cancellation);
        });
        return GrpcStatus.Ok;
    }
}

/// <summary>A stream of requests, each answered by one response before the next is read; it ends when the client does or the server drains.</summary>
internal sealed class ConversationMethod<TRequest, TResponse>(
    (string Service, string Name, ApiGroup? Group) name, MessageParser<TRequest> parser, Func<TRequest, TResponse> handler, CancellationToken draining)
    : GrpcMethod(name.Service, name.Name, name.Group)
    where TRequest : class, IMessage<TRequest>
    where TResponse : class, IMessage
{
    public override async ValueTask<GrpcStatus> InvokeAsync(GrpcCall call)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(call.Cancellation, draining);
        try
        {
            while (await call.Reader.ReadAsync(either.Token))
            {
                call.Writer.Write(handler(parser.ParseFrom(call.Reader.Message)));
                await call.Writer.FlushAsync(call.Cancellation);
            }

            return GrpcStatus.Ok;
        }
        catch (OperationCanceledException) when (draining.IsCancellationRequested && !call.Cancellation.IsCancellationRequested)
        {
            return GrpcErrors.Status(Admission.ShuttingDown);
        }
    }
}
