using Runtime.Inference;

namespace Runtime.Host.Nvcf;

/// <summary>
/// The directory whose files leave with a request's response. The platform looks into it when the response's headers arrive and
/// takes everything that it finds, so it is closed before: what is not complete by then is deleted, and nothing can be added.
/// </summary>
internal sealed class OutputDirectory(string directory, string requestId) : RequestOutputs
{
    private const string Partial = ".partial";

    private readonly Lock _gate = new();
    private readonly List<string> _completed = [];
    private bool _isClosed;

    public override string Directory => directory;

    public override OutputFile Create(string name)
    {
        var fault = PathSegment.Fault(name)
            ?? (name == ProgressFile.Name || name.EndsWith(Partial, StringComparison.Ordinal) ? $"is reserved, as '{ProgressFile.Name}' and '*{Partial}' are" : null);
        if (fault is not null)
        {
            throw new InferenceException(ErrorCode.InvalidArgument, $"the output file name '{PathSegment.Show(name)}' {fault}");
        }

        var path = Path.Combine(directory, name);
        try
        {
            lock (_gate)
            {
                ThrowIfClosed(name);
                System.IO.Directory.CreateDirectory(directory);
                return File.Exists(path) ? throw Taken(name) : new Writing(this, name, new FileStream(path + Partial, FileMode.CreateNew, FileAccess.Write));
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw File.Exists(path + Partial) ? Taken(name) : Unwritable(name, exception);
        }
    }

    /// <summary>Ends the writing. Without <paramref name="keepsFiles"/> what was completed goes too, and all else if the directory bears the request's id.</summary>
    public void Close(bool keepsFiles)
    {
        lock (_gate)
        {
            if (_isClosed)
            {
                return;
            }

            _isClosed = true;
            if (!keepsFiles)
            {
                _completed.ForEach(OutputFiles.TryDelete);
            }
        }

        // Also what functions write here by themselves. Only a directory that is the request's own for certain is emptied.
        var isOwn = Path.GetFileName(Path.TrimEndingDirectorySeparator(directory)) == requestId;
        foreach (var path in OutputFiles.Find(directory, name => name.EndsWith(Partial, StringComparison.Ordinal) || (!keepsFiles && isOwn)))
        {
            OutputFiles.TryDelete(path);
        }
    }

    private static InferenceException Taken(string name) => new(ErrorCode.AlreadyExists, $"there is an output file '{PathSegment.Show(name)}' already");

    private static InferenceException Unwritable(string name, Exception exception)
        => new(InferenceError.Internal($"the output file '{PathSegment.Show(name)}' cannot be written: {exception.Message}"), exception);

    private void ThrowIfClosed(string name)
    {
        if (_isClosed)
        {
            throw new InferenceException(ErrorCode.Internal, $"the output file '{PathSegment.Show(name)}' comes too late: the response has begun or the request is over");
        }
    }

    private sealed class Writing(OutputDirectory outputs, string name, FileStream content) : OutputFile
    {
        private readonly string _partialPath = content.Name;
        private bool _isComplete;

        public override Stream Content => content;

        public override void Complete()
        {
            try
            {
                content.Dispose();
                lock (outputs._gate)
                {
                    outputs.ThrowIfClosed(name);
                    var path = Path.Combine(outputs.Directory, name);
                    File.Move(_partialPath, path);
                    outputs._completed.Add(path);
                    _isComplete = true;
                }
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                throw Unwritable(name, exception);
            }
        }

        public override void Dispose()
        {
            try
            {
                content.Dispose();
            }
            catch (IOException)
            {
                // What could not be flushed is deleted anyway.
            }

            if (!_isComplete)
            {
                OutputFiles.TryDelete(_partialPath);
            }
        }
    }
}
