using System.Buffers;

namespace Runtime.Tensors;

/// <summary>Memory that others may write to while a request uses it: what it holds is true of one moment only.</summary>
public abstract class ForeignMemory : MemoryManager<byte>;
