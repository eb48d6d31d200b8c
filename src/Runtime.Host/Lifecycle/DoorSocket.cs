using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace Runtime.Host.Lifecycle;

/// <summary>A door and the socket that it listens on from the start; whoever connects waits until somebody accepts.</summary>
internal sealed record DoorSocket(string Door, Socket Socket) : IDisposable
{
    public IPEndPoint Address { get; } = (IPEndPoint)Socket.LocalEndPoint!;

    /// <summary>Listens at an address of this machine, a port of 0 is a free one; a <see cref="StartException"/> says why that is not to be had.</summary>
    /// <param name="door">The door's name.</param>
    /// <param name="address">An IP address, a name, or * for all.</param>
    /// <param name="port">The port.</param>
    /// <param name="flag">The option that gives the address, for messages.</param>
    public static DoorSocket Listen(string door, string address, int port, string flag)
    {
        var endpoint = Resolve(address, port, flag);
        Socket? socket = null;
        try
        {
            socket = SocketTransportOptions.CreateDefaultBoundListenSocket(endpoint);
            socket.Listen();
            return new DoorSocket(door, socket);
        }
        catch (SocketException e)
        {
            socket?.Dispose();
            var reason = e.SocketErrorCode == SocketError.AddressAlreadyInUse ? "the port is in use" : e.Message;
            throw new StartException($"cannot listen on {endpoint}: {reason}", e);
        }
    }

    public void Dispose() => Socket.Dispose();

    private static IPEndPoint Resolve(string address, int port, string flag)
    {
        try
        {
            var resolved = address is "*" ? IPAddress.Any
                : IPAddress.TryParse(address, out var literal) ? literal
                : Dns.GetHostAddresses(address).OrderBy(a => a.AddressFamily == AddressFamily.InterNetwork ? 0 : 1).First();
            return new IPEndPoint(resolved, port);
        }
        catch (Exception e) when (e is SocketException or ArgumentException)
        {
            throw new StartException($"{flag}: '{address}' is no address of this machine: {e.Message}", e);
        }
    }
}
