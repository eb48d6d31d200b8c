using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;

namespace Runtime.Host.Lifecycle;

/// <summary>Turns the failure to listen into a line for the person who started the process.</summary>
internal sealed class ListenerFactory(IConnectionListenerFactory sockets) : IConnectionListenerFactory
{
    public async ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        try
        {
            return await sockets.BindAsync(endpoint, cancellationToken);
        }
        catch (AddressInUseException e)
        {
            throw new StartException($"cannot listen on {endpoint}: the port is in use", e);
        }
        catch (SocketException e)
        {
            throw new StartException($"cannot listen on {endpoint}: {e.Message}", e);
        }
    }
}
