namespace Runtime.Models;

/// <summary>Poll mode: looks at the repositories again and again, and loads, reloads and unloads what changed.</summary>
internal sealed class RepositoryPoller(RepositoryOptions options, ModelRepository repository, TimeProvider time)
{
    private readonly Dictionary<string, long> _seen = Look(options);

    /// <summary>Polls until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        using var timer = new PeriodicTimer(options.PollInterval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(cancellation).ConfigureAwait(false))
            {
                await PollAsync(cancellation).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            // The repository is being disposed.
        }
    }

    /// <summary>Compares once. A model whose load fails is tried again when its files change again.</summary>
    internal async Task PollAsync(CancellationToken cancellation)
    {
        Dictionary<string, long> now;
        try
        {
            now = Look(options);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return; // files on the move, or a volume that is away: what is loaded goes on, the next look decides
        }

        foreach (var name in _seen.Keys.Except(now.Keys).ToArray())
        {
            await repository.RemoveAsync(name, false, cancellation).ConfigureAwait(false);
            _seen.Remove(name);
        }

        foreach (var (name, fingerprint) in now)
        {
            if (!_seen.TryGetValue(name, out var before) || before != fingerprint)
            {
                await repository.ChangeAsync(name, null, cancellation).ConfigureAwait(false);
                _seen[name] = fingerprint;
            }
        }
    }

    private static Dictionary<string, long> Look(RepositoryOptions options) => ModelDirectory.Find(options)
        .ToDictionary(group => group.Key, group => group.Aggregate(0L, (sum, directory) => unchecked((sum * 31) + ModelDirectory.Fingerprint(directory))));
}
