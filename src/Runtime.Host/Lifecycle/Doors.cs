namespace Runtime.Host.Lifecycle;

/// <summary>What answers the requests of each listener; null for one that the settings close.</summary>
internal sealed record Doors(RequestDelegate? Http, RequestDelegate? Grpc, RequestDelegate? Metrics);

/// <summary>A listener's name and what answers there.</summary>
internal sealed record Door(string Name, RequestDelegate Handler, bool IsGrpc);

/// <summary>A connection's mark of the listener that it came through; requests find it among their features.</summary>
/// <param name="Door">The listener's door.</param>
/// <param name="Refusals">Where the connection's answers are written; null over gRPC.</param>
internal sealed record DoorConnection(Door Door, RefusalBodies? Refusals);
