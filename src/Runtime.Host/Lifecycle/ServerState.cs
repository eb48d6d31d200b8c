namespace Runtime.Host.Lifecycle;

/// <summary>What health endpoints answer, over every protocol.</summary>
public sealed class ServerState
{
    /// <summary>Whether the process answers at all.</summary>
    public bool IsLive => throw new NotSupportedException();

    /// <summary>Whether it should get requests: started, not draining and, with strict readiness, every model loaded.</summary>
    public bool IsReady => throw new NotSupportedException();

    /// <summary>Cancelled when draining begins, so that endless streams such as health watches end.</summary>
    public CancellationToken Draining => throw new NotSupportedException();
}
