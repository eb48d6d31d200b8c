namespace Runtime.Host.Lifecycle;

/// <summary>Why the process cannot start, as one line for the person who started it.</summary>
internal sealed class StartException(string message, Exception? inner = null) : Exception(message, inner);
