using System.Diagnostics;

namespace Runtime.Host.Tests.Telemetry;

/// <summary>The built host as a process of its own, whose memory tells what it loaded.</summary>
public sealed class LoadedAssembliesTests : IDisposable
{
    private readonly DirectoryInfo _models = Directory.CreateTempSubdirectory("loaded");
    private readonly TaskCompletionSource<bool> _serves = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Process _process = new();

    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
        _models.Delete(recursive: true);
    }

    [Theory]
    [InlineData("", false)]
    [InlineData("http://127.0.0.1:9", true)]
    public async Task Start_WithAndWithoutEndpoint_LoadsOpenTelemetryOnlyForIt(string endpoint, bool isLoaded)
    {
        _process.StartInfo = new ProcessStartInfo(Environment.ProcessPath!)
        {
            ArgumentList =
            {
                Path.Combine(AppContext.BaseDirectory, "runtime-host.dll"), "--model-repository", _models.FullName, "--log-requests", "--log-format", "json",
                "--http-address", "127.0.0.1", "--http-port", "0", "--grpc-address", "127.0.0.1", "--grpc-port", "0", "--metrics-port", "0",
            },
            RedirectStandardError = true,
            Environment = { ["OTEL_EXPORTER_OTLP_ENDPOINT"] = endpoint },
        };
        _process.ErrorDataReceived += (_, line) =>
        {
            if (line.Data is null || line.Data.Contains("\"Serving ", StringComparison.Ordinal))
            {
                _serves.TrySetResult(line.Data is not null);
            }
        };
        _process.Start();
        _process.BeginErrorReadLine();
        Assert.True(await _serves.Task);

        var maps = await File.ReadAllTextAsync($"/proc/{_process.Id}/maps");

        Assert.Contains("runtime-host.dll", maps, StringComparison.Ordinal);
        Assert.Equal(isLoaded, maps.Contains("OpenTelemetry", StringComparison.Ordinal));
    }
}
