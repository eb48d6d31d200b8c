using System.Buffers;
using System.Text;
using Microsoft.AspNetCore.Http;
using Runtime.Host.Metrics;
using Runtime.Host.Tests.Nvcf;
using Runtime.Models;

namespace Runtime.Host.Tests.Metrics;

public sealed class GpuMetricsTests
{
    private const string First = "{gpu_uuid=\"GPU-00000000-0000-0000-0000-000000000000\"}";
    private const string Second = "{gpu_uuid=\"GPU-00000001-0000-0000-0000-000000000000\"}";

    private readonly StepClock _time = new();

    [NvmlFact]
    public async Task Read_TwoGpus_GivesTritonsNamesAndUnits()
    {
        FakeNvml.Reset();
        var lines = await LinesAsync(Gpus());

        Assert.Equal(
            [
                $"nv_gpu_utilization{First} 0.25", $"nv_gpu_utilization{Second} 0.75",
                $"nv_gpu_memory_total_bytes{First} 8000", $"nv_gpu_memory_total_bytes{Second} 8000",
                $"nv_gpu_memory_used_bytes{First} 1000", $"nv_gpu_memory_used_bytes{Second} 1001",
                $"nv_gpu_power_usage{First} 75.5", $"nv_gpu_power_usage{Second} 75.501",
                $"nv_gpu_power_limit{First} 700", $"nv_gpu_power_limit{Second} 700",
                $"nv_energy_consumption{First} 0", $"nv_energy_consumption{Second} 0",
            ],
            lines.Where(line => !line.StartsWith('#')));
        Assert.Equal(6, lines.Count(line => line.StartsWith("# HELP ", StringComparison.Ordinal)));
        Assert.Contains("# TYPE nv_gpu_utilization gauge", lines);
        Assert.Contains("# TYPE nv_energy_consumption counter", lines);
    }

    [NvmlFact]
    public async Task Read_WithinTheInterval_IsTheLastReading()
    {
        FakeNvml.Reset();
        var gpus = Gpus();
        await gpus.ReadAsync();
        FakeNvml.UseEnergy(2500);
        _time.Advance(1999);
        Assert.Contains($"nv_energy_consumption{First} 0", await LinesAsync(gpus));
        Assert.Equal(1, FakeNvml.Readings());

        _time.Advance(1);

        Assert.Contains($"nv_energy_consumption{First} 2.5", await LinesAsync(gpus));
        Assert.Equal(2, FakeNvml.Readings());
    }

    [NvmlFact]
    public async Task Read_CallFails_LeavesItsMetricOut()
    {
        FakeNvml.Reset();
        FakeNvml.Fail("nvmlDeviceGetPowerUsage", "nvmlDeviceGetTotalEnergyConsumption", "nvmlDeviceGetUtilizationRates");

        var lines = await LinesAsync(Gpus());

        Assert.DoesNotContain(lines, line => line.Contains("energy", StringComparison.Ordinal) || line.Contains("power_usage", StringComparison.Ordinal) || line.Contains("utilization", StringComparison.Ordinal));
        Assert.Contains($"nv_gpu_memory_used_bytes{First} 1000", lines);
    }

    [NvmlFact]
    public async Task Read_OlderLibrary_TakesTheOlderCalls()
    {
        FakeNvml.Reset();
        FakeNvml.Fail("nvmlDeviceGetMemoryInfo_v2", "nvmlDeviceGetEnforcedPowerLimit");

        var lines = await LinesAsync(Gpus());

        Assert.Contains($"nv_gpu_memory_used_bytes{First} 1500", lines);
        Assert.Contains($"nv_gpu_power_limit{First} 650", lines);
    }

    [NvmlFact]
    public async Task Read_CudaShowsOne_LeavesTheOtherOut()
    {
        FakeNvml.Reset();

        var gpus = await Gpus(visible: ["GPU-00000001-0000-0000-0000-000000000000"]).ReadAsync();

        Assert.Equal("GPU-00000001-0000-0000-0000-000000000000", Assert.Single(gpus).Uuid);
    }

    [NvmlFact]
    public async Task Read_CudaShowsSlices_GivesAll()
    {
        FakeNvml.Reset();

        Assert.Equal(2, (await Gpus(visible: ["GPU-99999999-0000-0000-0000-000000000000"]).ReadAsync()).Count);
        Assert.Empty(await Gpus(visible: []).ReadAsync());
    }

    [NvmlFact]
    public async Task Read_LibraryHasNoDriver_GivesNothing()
    {
        FakeNvml.Reset();
        FakeNvml.Fail("nvmlInit_v2");

        Assert.Empty(await LinesAsync(Gpus()));
        Assert.Equal(0, FakeNvml.Readings());
    }

    [Fact]
    public async Task Read_NoLibrary_GivesNothing()
        => Assert.Empty(await LinesAsync(new GpuMetrics(TimeSpan.FromSeconds(2), _time) { Library = "libno-such-library.so.1" }));

    [NvmlFact]
    public async Task Read_DriverDoesNotAnswer_IsGivenUpUntilItDoes()
    {
        FakeNvml.Reset();
        using var answered = new ManualResetEventSlim();
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var gpus = new GpuMetrics(TimeSpan.FromSeconds(2), _time)
        {
            Library = FakeNvml.Path,
            Visible = () =>
            {
                asked.TrySetResult();
                answered.Wait();
                return null;
            },
        };
        var first = gpus.ReadAsync().AsTask();
        await asked.Task;

        _time.Advance(2000);

        Assert.Empty(await first);
        var second = gpus.ReadAsync().AsTask();
        answered.Set();
        Assert.Equal(2, (await second).Count);
        Assert.Equal(1, FakeNvml.Readings());
    }

    [NvmlTheory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task HandleAsync_WithGpus_TellsOfThem(bool withGpus)
    {
        FakeNvml.Reset();
        await using var models = new ModelRepository(new RepositoryOptions { Directories = [] }, []);
        using var body = new MemoryStream();
        var context = new DefaultHttpContext { Request = { Method = "GET" }, Response = { Body = body } };

        await new PrometheusEndpoint(models, gpus: withGpus ? Gpus() : null).HandleAsync(context);

        Assert.Equal(withGpus, Encoding.UTF8.GetString(body.ToArray()).Contains($"nv_gpu_memory_used_bytes{Second} 1001\n", StringComparison.Ordinal));
    }

    private GpuMetrics Gpus(string[]? visible = null) => new(TimeSpan.FromSeconds(2), _time) { Library = FakeNvml.Path, Visible = () => visible };

    private static async Task<string[]> LinesAsync(GpuMetrics gpus)
    {
        var buffer = new ArrayBufferWriter<byte>();
        GpuMetrics.Write(new PrometheusText(buffer), await gpus.ReadAsync());
        return Encoding.UTF8.GetString(buffer.WrittenSpan).Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
