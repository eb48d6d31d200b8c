using System.Net.Sockets;

namespace Runtime.Host.NvcfTest;

/// <summary>
/// The platform's side of a function: it makes the directories of each request, passes the request on, follows its progress,
/// takes the output directory along when the answer's headers arrive, and remembers every answer.
/// </summary>
internal sealed class SimulatedPlatform : IDisposable
{
    private readonly List<Answer> _answers = [];
    private readonly List<RequestDirectories> _made = [];
    private readonly Action<string, int?> _observe;
    private readonly DirectoryInfo? _temporary;
    private readonly string _root;
    private readonly IReadOnlyDictionary<string, (long Length, DateTime Written)> _config;
    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false, UseCookies = false, Expect100ContinueTimeout = TimeSpan.FromSeconds(5) })
    {
        Timeout = System.Threading.Timeout.InfiniteTimeSpan,
    };

    /// <param name="settings">The function.</param>
    /// <param name="observe">Hears what a request is at, and its percentage where it has one.</param>
    public SimulatedPlatform(TestSettings settings, Action<string, int?> observe)
    {
        (Settings, _observe) = (settings, observe);
        _temporary = settings.Directory is null ? Directory.CreateTempSubdirectory("nvcf-test") : null;
        _root = settings.Directory ?? _temporary!.FullName;
        Health = new HealthProbe(settings, _http);
        _config = MountedFiles.Stamp(settings.ConfigDirectory);
        if (_temporary is not null && !OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(_root, File.GetUnixFileMode(_root) | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        }
    }

    public TestSettings Settings { get; }

    public HealthProbe Health { get; }

    /// <summary>The function's process, where the test has started it.</summary>
    public FunctionProcess? Process { get; set; }

    /// <summary>Every answer so far.</summary>
    public IReadOnlyList<Answer> Answers
    {
        get
        {
            lock (_answers)
            {
                return [.. _answers];
            }
        }
    }

    /// <summary>The request that the settings give.</summary>
    public Invocation Plain => new(Settings.Inference!, Settings.Body);

    /// <summary>The name that the function has for the directory of all requests.</summary>
    public string ContainerRoot => Settings.ContainerDirectory ?? _root;

    /// <summary>The files of /config that came, went or changed since the test began.</summary>
    public IReadOnlyList<string> ConfigChanges => MountedFiles.Changes(_config, MountedFiles.Stamp(Settings.ConfigDirectory));

    public void Tell(string activity, int? percent = null) => _observe(activity, percent);

    /// <summary>Passes a request on and waits for all of its answer.</summary>
    public async Task<Answer> InvokeAsync(Invocation invocation, CancellationToken cancellation)
    {
        var (answer, directories) = Begin(invocation);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(Settings.Timeout);
        try
        {
            answer = await ExchangeAsync(answer, directories, limit.Token);
            answer = answer with { Fault = answer.Client?.Fault };
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException)
        {
            answer = answer with { Fault = $"the connection ended: {exception.Message}" };
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            answer = answer with { Fault = $"no whole answer within {Settings.Timeout.TotalSeconds} seconds" };
        }

        lock (_answers)
        {
            _answers.Add(answer);
        }

        directories.Delete();
        return answer;
    }

    /// <summary>Begins a request by hand, with the platform's headers; the caller disposes it, which closes the connection.</summary>
    public async Task<RawRequest> OpenAsync(Invocation invocation, bool expectsContinue, CancellationToken cancellation)
    {
        var (answer, directories) = Begin(invocation);
        return await RawRequest.OpenAsync(Settings.Url, invocation, FunctionHeaders.Of(invocation, answer.RequestId, directories, Settings.PollLimit), expectsContinue, cancellation);
    }

    /// <summary>Whether something listens where the function is to be.</summary>
    public async Task<bool> IsTakenAsync(CancellationToken cancellation)
    {
        try
        {
            var url = Settings.Inference is null ? Settings.GrpcUrl! : Settings.Url;
            using var client = new TcpClient();
            await client.ConnectAsync(url.Host, url.Port, cancellation);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    public void Dispose()
    {
        Process?.Dispose();
        _http.Dispose();
        _made.ForEach(directories => directories.Delete());
        _temporary?.Delete(recursive: true);
    }

    private (Answer Answer, RequestDirectories Directories) Begin(Invocation invocation)
    {
        var answer = new Answer(invocation, Guid.NewGuid().ToString());
        var directories = RequestDirectories.Create(_root, ContainerRoot, answer.RequestId);
        invocation.Prepare?.Invoke(directories);
        lock (_made)
        {
            _made.Add(directories);
        }

        return (answer, directories);
    }

    private async Task<Answer> ExchangeAsync(Answer answer, RequestDirectories directories, CancellationToken cancellation)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        ProgressUpdate? latest = null;
        var watch = Task.Run(() => new ProgressWatch(directories.Output, answer.RequestId, update => Show(latest = update)).RunAsync(over.Token), CancellationToken.None);
        try
        {
            using var request = Request(answer, directories);
            var sending = _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
            var polls = await PollAsync(sending, () => latest?.Percent, cancellation);
            using var response = await sending;

            // The platform looks as soon as the headers are there, while the body is still on its way.
            var taken = directories.Scan();
            await over.CancelAsync();
            answer = answer with
            {
                Status = (int)response.StatusCode,
                ContentType = response.Content.Headers.ContentType?.MediaType ?? "",
                Artifacts = [.. taken.Keys.Order(StringComparer.Ordinal)],
                Polls = polls,
                Progress = await watch,
                Body = await response.Content.ReadAsByteArrayAsync(cancellation),
            };
            answer = answer with { LateChanges = MountedFiles.Changes(taken, directories.Scan()) };
            return answer with { Client = ClientAnswer.Of(answer, directories) };
        }
        finally
        {
            await over.CancelAsync();
            await watch;
        }
    }

    private void Show(ProgressUpdate update)
        => Tell(update.Fault is null ? $"202, NVCF-PERCENT-COMPLETE: {update.Percent}{(update.Partial.Length is > 0 and < 60 ? ", " + update.Partial : "")}" : $"progress ignored: {update.Fault}", update.Percent);

    /// <summary>Tells the client 202 whenever the poll limit is over, and counts that.</summary>
    private async Task<int> PollAsync(Task sending, Func<int?> percent, CancellationToken cancellation)
    {
        for (var polls = 0; ; polls++)
        {
            if (await Task.WhenAny(sending, Task.Delay(Settings.PollLimit, cancellation)) == sending || cancellation.IsCancellationRequested)
            {
                return polls;
            }

            Tell($"202{(percent() is { } told ? $", NVCF-PERCENT-COMPLETE: {told}" : "")}, the client asks again", percent());
        }
    }

    private HttpRequestMessage Request(Answer answer, RequestDirectories directories)
    {
        var invocation = answer.Invocation;
        var request = new HttpRequestMessage(invocation.Method, new Uri(Settings.Url, invocation.Path));
        if (invocation.Method != HttpMethod.Get)
        {
            request.Content = new PaddedContent(invocation.PaddingByteSize, invocation.Body);
            request.Content.Headers.TryAddWithoutValidation("Content-Type", "application/json");
            request.Headers.ExpectContinue = invocation.PaddingByteSize > 0 ? true : null;
        }

        if (invocation.Accept.Length > 0)
        {
            request.Headers.TryAddWithoutValidation("Accept", invocation.Accept);
        }

        foreach (var (name, value) in FunctionHeaders.Of(invocation, answer.RequestId, directories, Settings.PollLimit))
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return request;
    }
}
