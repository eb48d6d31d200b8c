using System.Collections.Concurrent;
using System.Text.Json;
using Runtime.Host.Nvcf;

namespace Runtime.Host.Tests.Nvcf;

public sealed class ProgressTortureTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("progress-torture").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    /// <summary>Reporters, a reader as the platform's, and an end in their midst: what is read is always whole and never falls.</summary>
    [Fact]
    public async Task Report_FromManyThreadsWhileItIsReadAndClosed_IsAlwaysWhole()
    {
        var failures = new ConcurrentQueue<Exception>();
        var progress = new ProgressFile(_directory, "id-1", TimeProvider.System, failures.Enqueue);
        using var stop = new CancellationTokenSource();
        var reader = Task.Run(() =>
        {
            for (var last = 0; !stop.IsCancellationRequested;)
            {
                try
                {
                    using var json = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(_directory, "progress")));
                    var percent = json.RootElement.GetProperty("progress").GetInt32();
                    Assert.InRange(percent, last, 100);
                    last = percent;
                }
                catch (FileNotFoundException)
                {
                    // Not yet, or not any more.
                }
            }
        });
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() =>
        {
            for (var i = 0; i < 5000; i++)
            {
                progress.Report(i / 50d, """{"k":[1,2,3]}"""u8.ToArray());
            }
        })));
        progress.Close();
        await stop.CancelAsync();
        await reader;

        Assert.Empty(Directory.GetFiles(_directory));
        Assert.Empty(failures);
    }
}
