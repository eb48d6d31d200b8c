namespace Runtime.Host.Lifecycle;

/// <summary>What answers the requests of each listener.</summary>
internal sealed record Doors(RequestDelegate Http, RequestDelegate Grpc, RequestDelegate Metrics);

/// <summary>A connection's mark of the listener that it came through; requests find it among their features.</summary>
internal sealed record Door(string Name, RequestDelegate Handler, bool IsGrpc);
