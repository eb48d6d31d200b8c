namespace Runtime.Host.NvcfTest;

/// <summary>Follows the progress file of one request while it runs.</summary>
internal sealed class ProgressWatch(string directory, string requestId, Action<ProgressUpdate> seen)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(20);

    private readonly string _path = Path.Combine(directory, Nvcf.ProgressFile.Name);
    private readonly List<ProgressUpdate> _updates = [];
    private byte[] _last = [];
    private bool _isTorn = true;

    /// <summary>Looks until it is cancelled, and once more then; the result is every update that it saw.</summary>
    public async Task<IReadOnlyList<ProgressUpdate>> RunAsync(CancellationToken over)
    {
        while (!over.IsCancellationRequested)
        {
            Look(isFinal: false);
            await Task.Delay(Interval, over).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        Look(isFinal: true);
        return _updates;
    }

    /// <summary>Takes the file if it has changed. One that is half written is ignored, as the platform does, unless it stays so.</summary>
    private void Look(bool isFinal)
    {
        if (TryRead() is not { } content || (content.AsSpan().SequenceEqual(_last) && !(_isTorn && isFinal)))
        {
            return;
        }

        var update = ProgressUpdate.Read(content, requestId);
        (_last, _isTorn) = (content, update.IsTorn);
        if (!update.IsTorn || isFinal)
        {
            _updates.Add(update);
            seen(update);
        }
    }

    private byte[]? TryRead()
    {
        try
        {
            return File.Exists(_path) ? File.ReadAllBytes(_path) : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
