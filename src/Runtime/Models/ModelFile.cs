using Runtime.Inference;

namespace Runtime.Models;

/// <summary>Finds the file that a backend loads.</summary>
public static class ModelFile
{
    /// <summary>The full path of the configuration's file, or of one by the default name where it names none or a directory.</summary>
    /// <param name="config">The model's configuration.</param>
    /// <param name="versionDirectory">Where the file must be.</param>
    /// <param name="defaultName">The backend's name for it, such as <c>model.onnx</c>.</param>
    /// <param name="shownPath">The path from the model's directory, for messages.</param>
    /// <exception cref="InferenceException">There is no such file, or it would be outside of the directory.</exception>
    public static string Find(ModelConfig config, string versionDirectory, string defaultName, out string shownPath)
    {
        var filename = config.ModelFilename.Length == 0 ? defaultName : config.ModelFilename;
        var directory = Path.TrimEndingDirectorySeparator(Path.GetFullPath(versionDirectory));
        var path = Path.GetFullPath(Path.Combine(directory, filename));
        if (!path.StartsWith(directory + Path.DirectorySeparatorChar, StringComparison.Ordinal))
        {
            throw new InferenceException(ErrorCode.InvalidArgument, $"default_model_filename '{filename}' of model '{config.Name}' must name a file inside the version's directory");
        }

        path = Directory.Exists(path) ? Path.Combine(path, defaultName) : path;
        shownPath = Path.GetRelativePath(Path.GetDirectoryName(directory)!, path);
        return File.Exists(path)
            ? path
            : throw new InferenceException(ErrorCode.NotFound, $"unable to find '{shownPath}' of model '{config.Name}'");
    }

    /// <summary>The full path of a file that a configuration names below a folder of the model's directory; null where there is none, or it would be outside of the folder.</summary>
    internal static string? FindIn(string modelDirectory, string folder, string filename)
    {
        var directory = Path.GetFullPath(Path.Combine(modelDirectory, folder));
        var path = Path.GetFullPath(Path.Combine(directory, filename));
        return path.StartsWith(directory + Path.DirectorySeparatorChar, StringComparison.Ordinal) && File.Exists(path) ? path : null;
    }
}
