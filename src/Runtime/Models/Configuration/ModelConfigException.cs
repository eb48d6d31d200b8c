namespace Runtime.Models.Configuration;

/// <summary>A configuration that cannot be served; the message says where and which field, and what to do about it.</summary>
public sealed class ModelConfigException(string message) : Exception(message);
