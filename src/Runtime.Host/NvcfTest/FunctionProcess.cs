using System.Diagnostics;
using System.Runtime.InteropServices;
using Runtime.Host.Lifecycle;

namespace Runtime.Host.NvcfTest;

/// <summary>A function that the test starts itself, with the platform's environment; disposing it kills what is left.</summary>
internal sealed partial class FunctionProcess : IDisposable
{
    private const int Sigterm = 15;
    private const int MostLines = 12;

    private readonly Process _process;
    private readonly Queue<string> _lines = [];
    private long _terminated;

    private FunctionProcess(Process process) => _process = process;

    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    public int ExitCode => _process.ExitCode;

    /// <summary>What it wrote last.</summary>
    public string LastLines
    {
        get
        {
            lock (_lines)
            {
                return string.Join('\n', _lines);
            }
        }
    }

    /// <summary>Starts a command of the shell's, in place of the shell, so that signals reach it.</summary>
    /// <exception cref="StartException">There is no shell.</exception>
    public static FunctionProcess Start(string command)
    {
        var start = new ProcessStartInfo("/bin/sh") { ArgumentList = { "-c", "exec " + command }, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in FunctionHeaders.Environment)
        {
            start.Environment[name] = value;
        }

        var function = new FunctionProcess(new Process { StartInfo = start });
        function._process.OutputDataReceived += (_, line) => function.Keep(line.Data);
        function._process.ErrorDataReceived += (_, line) => function.Keep(line.Data);
        try
        {
            function._process.Start();
        }
        catch (System.ComponentModel.Win32Exception exception)
        {
            throw new StartException($"nvcf-test: the command cannot be started: {exception.Message}", exception);
        }

        function._process.BeginOutputReadLine();
        function._process.BeginErrorReadLine();
        return function;
    }

    /// <summary>Sends SIGTERM; only the first call does.</summary>
    public void Terminate()
    {
        if (_terminated == 0)
        {
            _terminated = Stopwatch.GetTimestamp();
            _ = Send(_process.Id, Sigterm);
        }
    }

    /// <summary>How long it took from SIGTERM to its end; null where it goes on for longer than the limit.</summary>
    public async Task<TimeSpan?> WaitAsync(TimeSpan most, CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var left = most - Stopwatch.GetElapsedTime(_terminated);
        limit.CancelAfter(left > TimeSpan.Zero ? left : TimeSpan.Zero);
        try
        {
            await _process.WaitForExitAsync(limit.Token);
            return Stopwatch.GetElapsedTime(_terminated);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return null;
        }
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            _process.WaitForExit(TimeSpan.FromSeconds(10));
        }

        _process.Dispose();
    }

    private void Keep(string? line)
    {
        lock (_lines)
        {
            if (line is not null)
            {
                _lines.Enqueue(line);
            }

            while (_lines.Count > MostLines)
            {
                _lines.Dequeue();
            }
        }
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Send(int process, int signal);
}
