using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;

namespace Runtime.Onnx;

/// <summary>What ONNX Runtime's C interface tells and its C# binding does not pass on. Its table of functions only grows, so places in it are fixed.</summary>
internal static unsafe class OrtNative
{
    private const uint Version = 24; // of the latest function used here

    private static readonly Lazy<nint> Table = new(LoadTable);

    /// <summary>Every operator of the optimized graph with the provider that runs it, for a session that recorded them; null where that cannot be told.</summary>
    public static List<(string Provider, string Operator)>? Assignments(InferenceSession session)
    {
        nint subgraphs;
        nint count;
        var read = (delegate* unmanaged<nint, nint*, nint*, nint>)Function(nameof(OrtApi.Session_GetEpGraphAssignmentInfo));
        if (read is null || !IsOk(read(NativeHandle(session), &subgraphs, &count)))
        {
            return null;
        }

        var assignments = new List<(string Provider, string Operator)>();
        foreach (var subgraph in new ReadOnlySpan<nint>((void*)subgraphs, (int)count))
        {
            nint nodes;
            var readNodes = (delegate* unmanaged<nint, nint*, nint*, nint>)Function(nameof(OrtApi.EpAssignedSubgraph_GetNodes));
            if (Text(nameof(OrtApi.EpAssignedSubgraph_GetEpName), subgraph) is not { } provider || !IsOk(readNodes(subgraph, &nodes, &count)))
            {
                return null;
            }

            foreach (var node in new ReadOnlySpan<nint>((void*)nodes, (int)count))
            {
                assignments.Add((provider, Text(nameof(OrtApi.EpAssignedNode_GetOperatorType), node) ?? ""));
            }
        }

        return assignments;
    }

    /// <summary>Bytes that an allocator has taken from its device; null where it does not count.</summary>
    public static long? AllocatedBytes(OrtAllocator allocator)
    {
        nint statistics;
        var read = (delegate* unmanaged<nint, nint*, nint>)Function(nameof(OrtApi.AllocatorGetStats));
        if (read is null || !IsOk(read(allocator.DangerousGetHandle(), &statistics)))
        {
            return null;
        }

        var find = (delegate* unmanaged<nint, byte*, nint>)Function(nameof(OrtApi.GetKeyValue));
        fixed (byte* key = "TotalAllocated\0"u8)
        {
            var text = Marshal.PtrToStringUTF8(find(statistics, key));
            ((delegate* unmanaged<nint, void>)Function(nameof(OrtApi.ReleaseKeyValuePairs)))(statistics);
            return long.TryParse(text, out var bytes) ? bytes : null;
        }
    }

    private static string? Text(string function, nint item)
    {
        nint text;
        return IsOk(((delegate* unmanaged<nint, nint*, nint>)Function(function))(item, &text)) ? Marshal.PtrToStringUTF8(text) : null;
    }

    private static bool IsOk(nint status)
    {
        if (status != 0)
        {
            ((delegate* unmanaged<nint, void>)Function(nameof(OrtApi.ReleaseStatus)))(status);
        }

        return status == 0;
    }

    /// <summary>A function by its name in the binding's copy of the table; null where this ONNX Runtime is older.</summary>
    private static void* Function(string name) => Table.Value == 0 ? null : *(void**)(Table.Value + Marshal.OffsetOf<OrtApi>(name));

    private static nint LoadTable()
    {
        var library = NativeLibrary.Load("onnxruntime", typeof(OrtEnv).Assembly, null);
        var api = ((delegate* unmanaged<OrtApiBase*>)NativeLibrary.GetExport(library, "OrtGetApiBase"))();
        return ((delegate* unmanaged<uint, nint>)api->GetApi)(Version);
    }

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_nativeHandle")]
    private static extern ref nint NativeHandle(InferenceSession session);
}
