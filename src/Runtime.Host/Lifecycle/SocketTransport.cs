using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Options;

namespace Runtime.Host.Lifecycle;

/// <summary>
/// Kestrel's socket transport with our memory and sockets. Only its registration takes a memory pool, so it is registered, and
/// what that configures is called here: a container of services to do it would have to be compiled at every start.
/// </summary>
internal static class SocketTransport
{
    /// <param name="listening">The sockets that listen already, by their addresses.</param>
    /// <param name="preferInline">Whether requests start on the thread that learns of their arrival.</param>
    /// <param name="loggers">Where the transport logs.</param>
    public static IConnectionListenerFactory Create(Func<EndPoint, Socket> listening, bool preferInline, ILoggerFactory loggers)
    {
        var registration = new Registration();
        registration.UseSockets();
        var options = new SocketTransportOptions();
        foreach (var service in registration.Services.Where(service => service.ServiceType == typeof(IConfigureOptions<SocketTransportOptions>)))
        {
            var configuration = service.ImplementationInstance ?? service.ImplementationFactory?.Invoke(registration);
            (configuration as IConfigureOptions<SocketTransportOptions>)?.Configure(options);
        }

        options.CreateBoundListenSocket = listening;
        options.UnsafePreferInlineScheduling = preferInline;
        return new SocketTransportFactory(new OptionsWrapper<SocketTransportOptions>(options), loggers);
    }

    /// <summary>As much of a host builder as the registration needs: somewhere to put services, and the memory pool.</summary>
    private sealed class Registration : IWebHostBuilder, IServiceProvider
    {
        public ServiceCollection Services { get; } = new();

        public object? GetService(Type serviceType) => serviceType == typeof(IMemoryPoolFactory<byte>) ? new BlockPool() : null;

#pragma warning disable ASPDEPR008 // the interface still has the member
        public IWebHost Build() => throw new NotSupportedException();
#pragma warning restore ASPDEPR008

        public IWebHostBuilder ConfigureAppConfiguration(Action<WebHostBuilderContext, IConfigurationBuilder> configureDelegate) => this;

        public IWebHostBuilder ConfigureServices(Action<IServiceCollection> configureServices)
        {
            configureServices(Services);
            return this;
        }

        public IWebHostBuilder ConfigureServices(Action<WebHostBuilderContext, IServiceCollection> configureServices)
        {
            configureServices(new WebHostBuilderContext(), Services);
            return this;
        }

        public string? GetSetting(string key) => null;

        public IWebHostBuilder UseSetting(string key, string? value) => this;
    }
}
