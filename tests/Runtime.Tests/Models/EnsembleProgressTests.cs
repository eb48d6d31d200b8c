using System.Globalization;
using System.Text;
using Runtime.Inference;
using Runtime.Models;

namespace Runtime.Tests.Models;

public sealed class EnsembleProgressTests
{
    [Theory]
    [InlineData(4, "25 ,50 ,75 ")]
    [InlineData(1, "")]
    public async Task InferAsync_EnsembleOfSteps_ReportsTheShareThatIsDoneWhileOthersFollow(int steps, string expected)
    {
        await using var repository = new RepositoryUnderTest();
        repository.Write("ten", "", (1, "10"));
        repository.WriteConfig("chain", $$"""
            platform: "ensemble" max_batch_size: 8
            input { name: "X" data_type: TYPE_INT32 dims: -1 } output { name: "Y" data_type: TYPE_INT32 dims: -1 }
            ensemble_scheduling { {{string.Concat(Enumerable.Range(0, steps).Select(i => Step(i == 0 ? "X" : $"t{i}", i == steps - 1 ? "Y" : $"t{i + 1}")))}} }
            """);
        Assert.Null(await repository.LoadAsync("chain"));
        Assert.Null(repository.Models.TryAcquire("chain", "", out var lease));
        var recorder = new Recorder();
        using (lease)
        using (var request = TestModels.Request(1))
        {
            request.Context = new RequestContext { RequestId = "1", Headers = new Dictionary<string, string>(), Progress = recorder };
            using var response = await lease.Model.InferAsync(request, default);

            Assert.Equal([1 + (10 * steps)], TestModels.Values(response));
        }

        Assert.Equal(expected, string.Join(',', recorder.Reports));
    }

    [Fact]
    public void Report_OfAStep_IsItsShareOfTheEnsemble()
    {
        var recorder = new Recorder();
        var step = new StepProgress(recorder, finished: 1, steps: 4);

        step.Report(0);
        step.Report(50, "{}"u8.ToArray());
        step.Report(500);

        Assert.Equal(["25 ", "37.5 {}", "50 "], recorder.Reports);
    }

    /// <summary>A directory that is one model serves beside a repository, also after a look at what there is.</summary>
    [Fact]
    public async Task StartAsync_ModelDirectories_ServeBesideTheRepository()
    {
        await using var source = new RepositoryUnderTest();
        source.Write("alone", "", (1, "5"));
        var directory = Path.Combine(source.Options.Directories[0], "alone");
        await using var models = new ModelRepository(new RepositoryOptions { Directories = [], ModelDirectories = [directory] }, [source.Backend]);

        Assert.Empty(await models.StartAsync(default));

        Assert.True(models.IsModelReady("alone", "", out _));
        Assert.Equal(["alone"], models.Index(readyOnly: false).Select(entry => entry.Name));
    }

    private static string Step(string input, string output)
        => $"step {{ model_name: 'ten' input_map {{ key: 'X' value: '{input}' }} output_map {{ key: 'Y' value: '{output}' }} }} ";

    private sealed class Recorder : RequestProgress
    {
        public List<string> Reports { get; } = [];

        public override void Report(double percent, ReadOnlyMemory<byte> partialJson = default)
            => Reports.Add(string.Create(CultureInfo.InvariantCulture, $"{percent} {Encoding.UTF8.GetString(partialJson.Span)}"));
    }
}
