using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Runtime.Inference;

namespace Runtime.Host.Nvcf;

/// <summary>The files that the platform put down for one request. Only ids that the request lists are looked for, and only files that really are in the directory are opened.</summary>
internal sealed partial class AssetDirectory(string directory, string ids) : RequestAssets
{
    public override IReadOnlyList<string> Ids { get; } = ids.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    public override InferenceError? TryGetPath(string id, out string path)
    {
        path = "";
        var shown = PathSegment.Show(id);
        if (PathSegment.Fault(id) is { } fault)
        {
            return InferenceError.InvalidArgument($"the asset id '{shown}' {fault}");
        }

        if (!Ids.Contains(id))
        {
            return InferenceError.InvalidArgument($"the asset id '{shown}' is not one of the request's {Ids.Count}, which {NvcfHeaders.AssetIds} lists");
        }

        if (Resolve(directory) is not { } root || Resolve(Path.Combine(directory, id)) is not { } resolved)
        {
            return InferenceError.InvalidArgument($"the asset '{shown}' is not in the request's asset directory");
        }

        if (!resolved.StartsWith(root.TrimEnd('/') + '/', StringComparison.Ordinal) || Directory.Exists(resolved))
        {
            return InferenceError.InvalidArgument($"the asset '{shown}' is no file of the request's asset directory");
        }

        path = resolved;
        return null;
    }

    /// <summary>Opens an asset for reading; the caller disposes the file.</summary>
    /// <exception cref="InferenceException">The id names no asset of this request, or one that cannot be read.</exception>
    public SafeFileHandle Open(string id)
    {
        if (TryGetPath(id, out var path) is { } error)
        {
            throw new InferenceException(error);
        }

        try
        {
            var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            if (IsAt(file, path))
            {
                return file;
            }

            file.Dispose();
            throw new InferenceException(ErrorCode.InvalidArgument, $"the asset '{PathSegment.Show(id)}' is no file of the request's asset directory");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new InferenceException(InferenceError.InvalidArgument($"the asset '{PathSegment.Show(id)}' cannot be read: {exception.Message}"), exception);
        }
    }

    /// <summary>Whether what was opened lies where it was looked for: a link may have been put there in between.</summary>
    private static bool IsAt(SafeFileHandle file, string path)
        => File.ResolveLinkTarget($"/proc/self/fd/{file.DangerousGetHandle()}", returnFinalTarget: false) is not { } target || target.FullName == path;

    /// <summary>The path without symbolic links; null where nothing is there.</summary>
    private static string? Resolve(string path)
    {
        var resolved = RealPath(path, 0);
        if (resolved == 0)
        {
            return null;
        }

        try
        {
            return Marshal.PtrToStringUTF8(resolved);
        }
        finally
        {
            Free(resolved);
        }
    }

    [LibraryImport("libc", EntryPoint = "realpath", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint RealPath(string path, nint buffer);

    [LibraryImport("libc", EntryPoint = "free")]
    private static partial void Free(nint memory);
}
