using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;

namespace Runtime.Host.Tests.Lifecycle;

/// <summary>The built host as a process of its own, told to stop while a request's body has not come to its end.</summary>
public sealed partial class SignalTests : IDisposable
{
    private const int Terminate = 15;
    private const string Body = """{"inputs":[{"name":"X","shape":[1],"datatype":"INT32","data":[7]}]}""";

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("signals");
    private readonly TaskCompletionSource<IPEndPoint> _listens = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _serves = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _stops = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly StringBuilder _log = new();
    private readonly Process _process = new();

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            _process.WaitForExit();
        }

        _process.Dispose();
        _directory.Delete(recursive: true);
    }

    [Fact]
    public async Task Sigterm_RequestInFlight_AnswersItAndExitsWithZero()
    {
        using var client = await StartAsync();
        Signal();
        await _stops.Task;

        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(Body[1..]));

        using var reader = new StreamReader(client.GetStream());
        Assert.Equal("HTTP/1.1 200 OK", await reader.ReadLineAsync());
        await _process.WaitForExitAsync();
        Assert.Equal(0, _process.ExitCode);
    }

    [Fact]
    public async Task Sigterm_ASecondOne_ExitsAtOnceWithOne()
    {
        using var client = await StartAsync();
        Signal();
        await _stops.Task;

        Signal();

        await _process.WaitForExitAsync();
        Assert.Equal(1, _process.ExitCode);
    }

    /// <summary>Starts the host and a request that it has let in: all but the end of the body.</summary>
    private async Task<TcpClient> StartAsync()
    {
        var model = _directory.CreateSubdirectory("echo").FullName;
        await File.WriteAllTextAsync(
            Path.Combine(model, "config.pbtxt"),
            "backend: 'identity' input { name: 'X' data_type: TYPE_INT32 dims: -1 } output { name: 'X' data_type: TYPE_INT32 dims: -1 }");
        Directory.CreateDirectory(Path.Combine(model, "1"));
        _process.StartInfo = new ProcessStartInfo(Environment.ProcessPath!)
        {
            ArgumentList =
            {
                Path.Combine(AppContext.BaseDirectory, "runtime-host.dll"), "--model-repository", _directory.FullName, "--exit-timeout-secs", "600",
                "--http-address", "127.0.0.1", "--http-port", "0", "--grpc-address", "127.0.0.1", "--grpc-port", "0", "--metrics-port", "0",
            },
            RedirectStandardError = true,
        };
        _process.ErrorDataReceived += (_, line) => Read(line.Data);
        _process.Start();
        _process.BeginErrorReadLine();
        await Task.WhenAny(_serves.Task, _process.WaitForExitAsync());
        Assert.True(_serves.Task.IsCompletedSuccessfully, _log.ToString());

        var client = new TcpClient();
        await client.ConnectAsync(await _listens.Task);
        var head = $"POST /v2/models/echo/infer HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: {Body.Length}\r\n\r\n";
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(head));

        // The server asks for the body once it has let the request in.
        var asked = new byte["HTTP/1.1 100 Continue\r\n\r\n".Length];
        await client.GetStream().ReadExactlyAsync(asked);
        Assert.StartsWith("HTTP/1.1 100 ", Encoding.ASCII.GetString(asked), StringComparison.Ordinal);
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(Body[..1]));
        return client;
    }

    private void Read(string? line)
    {
        _log.AppendLine(line);
        const string started = "Started HTTP at ";
        var place = line?.IndexOf(started, StringComparison.Ordinal) ?? -1;
        if (place >= 0)
        {
            _listens.TrySetResult(IPEndPoint.Parse(line![(place + started.Length)..]));
        }
        else if (line?.Contains("] Serving ", StringComparison.Ordinal) == true)
        {
            _serves.TrySetResult();
        }
        else if (line?.Contains("] Stopping", StringComparison.Ordinal) == true)
        {
            _stops.TrySetResult();
        }
    }

    private void Signal() => Assert.Equal(0, Send(_process.Id, Terminate));

    [LibraryImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Send(int process, int signal);
}
