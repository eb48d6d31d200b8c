namespace Runtime.Host.Tests.Http;

/// <summary>Tests that count what the process's pool has lent, so nothing else may run beside them.</summary>
[CollectionDefinition("pool", DisableParallelization = true)]
public sealed class PoolTests;
