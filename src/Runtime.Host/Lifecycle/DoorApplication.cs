using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Abstractions;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Runtime.Host.Http;

namespace Runtime.Host.Lifecycle;

/// <summary>Hands each request to the door of its connection, and answers for what a door lets escape.</summary>
internal sealed class DoorApplication(ILogger logger) : IHttpApplication<DefaultHttpContext>
{
    private volatile bool _closesConnections;

    /// <summary>
    /// Whether connections are closed once their requests are answered: who asks again comes over a new one, which may lead
    /// elsewhere, and no request meets the close of one that was kept.
    /// </summary>
    public bool ClosesConnections
    {
        get => _closesConnections;
        set => _closesConnections = value;
    }

    public DefaultHttpContext CreateContext(IFeatureCollection contextFeatures)
    {
        // A connection's requests come one after another, so they share one context.
        if (contextFeatures is not IHostContextContainer<DefaultHttpContext> container)
        {
            return new DefaultHttpContext(contextFeatures);
        }

        var context = container.HostContext ??= new DefaultHttpContext();
        context.Initialize(contextFeatures);
        return context;
    }

    public void DisposeContext(DefaultHttpContext context, Exception? exception)
    {
        if (context.Features.Get<DoorConnection>()?.Refusals is { } refusals)
        {
            refusals.IsServing = false;
        }

        context.Uninitialize();
    }

    public Task ProcessRequestAsync(DefaultHttpContext context)
    {
        var (door, refusals) = context.Features.GetRequiredFeature<DoorConnection>();
        if (refusals is not null)
        {
            refusals.IsServing = true;
        }

        if (door.IsGrpc && context.Features.Get<IHttpMinRequestBodyDataRateFeature>() is { } rate)
        {
            // A stream may be silent for as long as its client likes.
            rate.MinDataRate = null;
        }

        if (_closesConnections)
        {
            CloseAfterAnswers(context, door);
        }

        return GuardAsync(context, door);
    }

    private static void CloseAfterAnswers(HttpContext context, Door door)
    {
        if (door.IsGrpc)
        {
            context.Features.GetRequiredFeature<IConnectionLifetimeNotificationFeature>().RequestClose(); // GOAWAY; its streams go on
        }
        else
        {
            context.Response.Headers.Connection = "close";
        }
    }

    private async Task GuardAsync(HttpContext context, Door door)
    {
        try
        {
            await door.Handler(context);
        }
        catch (BadHttpRequestException e) when (!door.IsGrpc)
        {
            await RefuseAsync(context, e);
        }
        catch (Exception e) when (context.RequestAborted.IsCancellationRequested && e is OperationCanceledException or IOException)
        {
            logger.LogDebug("The client of {Method} {Path} left before its answer", context.Request.Method, context.Request.Path);
            context.Abort(); // or else Kestrel reads on where a read failed, and complains
        }
        catch (Exception e)
        {
            logger.LogError(e, "Unexpected fault in {Method} {Path} over {Door}", context.Request.Method, context.Request.Path, door.Name);
            if (door.IsGrpc || context.Response.HasStarted)
            {
                context.Abort();
                return;
            }

            await HttpErrors.WriteAsync(context, StatusCodes.Status500InternalServerError, $"unexpected fault in the server: {e.GetType().Name}");
        }
    }

    private static Task RefuseAsync(HttpContext context, BadHttpRequestException fault)
    {
        if (context.RequestAborted.IsCancellationRequested || context.Response.HasStarted)
        {
            context.Abort();
            return Task.CompletedTask;
        }

        context.Response.Headers.Connection = "close";
        var isSlow = fault.StatusCode == StatusCodes.Status408RequestTimeout;
        return HttpErrors.WriteAsync(context, fault.StatusCode, isSlow ? "the request's body came too slowly or not to its end" : fault.Message);
    }
}
