using Microsoft.AspNetCore.Connections;

namespace Runtime.Host.Lifecycle;

/// <summary>Kestrel's socket transport with our memory. Only its registration takes a memory pool, so it is registered, and taken out again.</summary>
internal static class SocketTransport
{
    public static IConnectionListenerFactory Create(bool preferInline, ILoggerFactory loggers)
    {
        var registration = new Registration();
        registration.Services.AddSingleton<IMemoryPoolFactory<byte>>(new BlockPool());
        registration.Services.AddSingleton(loggers);
        registration.Services.AddOptions();
        registration.UseSockets(sockets => sockets.UnsafePreferInlineScheduling = preferInline);
        return registration.Services.BuildServiceProvider().GetRequiredService<IConnectionListenerFactory>();
    }

    /// <summary>As much of a host builder as the registration needs: somewhere to put services.</summary>
    private sealed class Registration : IWebHostBuilder
    {
        public ServiceCollection Services { get; } = new();

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
