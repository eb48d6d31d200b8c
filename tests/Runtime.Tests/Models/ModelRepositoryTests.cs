using System.Text;
using Runtime.Inference;
using Runtime.Models;
using Runtime.Tensors;

namespace Runtime.Tests.Models;

public class ModelRepositoryTests
{
    [Fact]
    public async Task StartAsync_ModeNone_ServesAllAndRefusesToChange()
    {
        await using var repository = new RepositoryUnderTest(ModelControlMode.None);
        repository.Write("a", "", (1, "10"));
        repository.Write("b", "", (1, "20"));

        Assert.Empty(await repository.Models.StartAsync(default));
        Assert.Equal("11", await repository.AskAsync("a"));
        Assert.Equal("21", await repository.AskAsync("b"));
        Assert.Contains("not allowed", (await repository.LoadAsync("a"))!.Message, StringComparison.Ordinal);
        Assert.Contains("not allowed", (await repository.UnloadAsync("a"))!.Message, StringComparison.Ordinal);
        Assert.True(repository.Models.IsReady);
    }

    [Fact]
    public async Task StartAsync_OneBroken_TheOthersServeAndReadinessIsOff()
    {
        await using var repository = new RepositoryUnderTest(ModelControlMode.None);
        repository.Write("good", "", (1, "1"));
        repository.Write("bad", "", (1, "x"));
        repository.WriteConfig("worse", "max_batchsize: 1");

        var failures = await repository.Models.StartAsync(default);

        Assert.Equal(["bad", "worse"], failures.Select(failure => failure.Name));
        Assert.Contains("'x' is no number", failures[0].Reason, StringComparison.Ordinal);
        Assert.Contains("config.pbtxt:1:1: unknown field 'max_batchsize'", failures[1].Reason, StringComparison.Ordinal);
        Assert.Equal("2", await repository.AskAsync("good"));
        Assert.False(repository.Models.IsReady);
        Assert.Equal("1:UNAVAILABLE", repository.State("bad"));
    }

    [Fact]
    public async Task StartAsync_FaultOfABackend_FailsThatVersionOnlyAndIsLoggedWhole()
    {
        await using var repository = new RepositoryUnderTest(ModelControlMode.None);
        repository.Write("faulty", "version_policy { all { } }", (1, "1"), (2, "fault"));

        Assert.Single(await repository.Models.StartAsync(default));

        Assert.Equal("1:READY,2:UNAVAILABLE", repository.State("faulty"));
        Assert.Equal("unexpected InvalidOperationException: the backend is broken", repository.Models.Index(readyOnly: false).Single(entry => entry.Version == "2").Reason);
        Assert.Contains(" at Runtime.Tests.Models.AddBackend.Load(", Assert.Single(repository.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public async Task StartAsync_Explicit_LoadsTheNamedOnly()
    {
        await using var repository = new RepositoryUnderTest(ModelControlMode.Explicit, "a");
        repository.Write("a", "", (1, "1"));
        repository.Write("b", "", (1, "2"));

        await repository.Models.StartAsync(default);

        Assert.Equal("1:READY", repository.State("a"));
        Assert.Equal(":", repository.State("b"));
        Assert.Equal("Request for unknown model: 'b' is not found", await repository.AskAsync("b"));
    }

    [Theory]
    [InlineData("", "3", "12", "Request for unknown model: 'a' version 1 is not found")]
    [InlineData("version_policy { all { } }", "3", "12", "6")]
    [InlineData("version_policy { latest { num_versions: 2 } }", "3", "12", "Request for unknown model: 'a' version 1 is not found")]
    [InlineData("version_policy { specific { versions: 1 } }", "1", "6", "6")]
    public async Task LoadAsync_VersionPolicy_SelectsVersions(string policy, string latest, string answer, string first)
    {
        await using var repository = new RepositoryUnderTest();
        repository.Write("a", policy, (1, "5"), (2, "8"), (3, "11"));

        Assert.Null(await repository.LoadAsync("a"));

        Assert.Equal(latest, repository.Models.ReadyVersions("a")[^1].ToString(System.Globalization.CultureInfo.InvariantCulture));
        Assert.Equal(answer, await repository.AskAsync("a"));
        Assert.Equal(first, await repository.AskAsync("a", "1"));
    }

    [Fact]
    public async Task LoadAsync_Changed_SwapsAndServesRequestsInFlightOnTheOld()
    {
        await using var repository = new RepositoryUnderTest();
        repository.Write("a", "", (1, "10"));
        await repository.LoadAsync("a");
        Assert.Null(repository.Models.TryAcquire("a", "", out var lease));
        repository.WriteVersions("a", (1, "200"));

        Assert.Null(await repository.LoadAsync("a"));

        Assert.Equal("201", await repository.AskAsync("a"));
        Assert.Equal(0, repository.Backend.Disposed);
        using (var request = TestModels.Request(1))
        using (var response = await lease.Model.InferAsync(request, default))
        {
            TestModels.AssertValues(response, 11);
        }

        lease.Dispose();
    }

    [Fact]
    public async Task LoadAsync_Unchanged_KeepsTheModel()
    {
        await using var repository = new RepositoryUnderTest();
        repository.Write("a", "", (1, "10"));
        await repository.LoadAsync("a");

        Assert.Null(await repository.LoadAsync("a"));

        Assert.Equal(1, repository.Backend.Loaded);
    }

    [Fact]
    public async Task LoadAsync_ReloadFails_TheOldGoesOnAndTheIndexSaysWhy()
    {
        await using var repository = new RepositoryUnderTest();
        repository.Write("a", "", (1, "10"));
        await repository.LoadAsync("a");
        repository.WriteVersions("a", (1, "oops"));

        Assert.Contains("'oops' is no number", (await repository.LoadAsync("a"))!.Message, StringComparison.Ordinal);

        Assert.Equal("11", await repository.AskAsync("a"));
        Assert.Equal("1:READY", repository.State("a"));
        Assert.Contains("'oops' is no number", repository.Models.Index(false).Single().Reason, StringComparison.Ordinal);
        Assert.True(repository.Models.IsReady);
        Assert.Contains("'oops' is no number", (await repository.LoadAsync("a"))!.Message, StringComparison.Ordinal);
        repository.WriteVersions("a", (1, "300"));
        Assert.Null(await repository.LoadAsync("a"));
        Assert.Equal("301", await repository.AskAsync("a"));
    }

    [Fact]
    public async Task UnloadAsync_InUse_IsGoneAtOnceAndFreedAfterTheLastLease()
    {
        await using var repository = new RepositoryUnderTest();
        repository.Write("a", "", (1, "10"));
        await repository.LoadAsync("a");
        Assert.Null(repository.Models.TryAcquire("a", "", out var lease));

        Assert.Null(await repository.UnloadAsync("a"));

        Assert.Equal("Request for unknown model: 'a' has no available versions", await repository.AskAsync("a"));
        Assert.Equal("1:UNLOADING", repository.State("a"));
        Assert.Equal(0, repository.Backend.Disposed);
        lease.Dispose();
        Assert.Null(await repository.UnloadAsync("nosuch"));
    }

    [Fact]
    public async Task LoadAsync_Overrides_TakeTheirPlace()
    {
        await using var repository = new RepositoryUnderTest();
        const string Config = """{"backend":"add","max_batch_size":2,"input":[{"name":"X","data_type":"TYPE_INT32","dims":[-1]}],"output":[{"name":"Y","data_type":"TYPE_INT32","dims":[-1]}]}""";
        var files = new Dictionary<string, ReadOnlyMemory<byte>> { ["7/model"] = Encoding.UTF8.GetBytes("40") };

        Assert.Null(await repository.LoadAsync("sent", new LoadOverrides(Config, files)));

        Assert.Equal("41", await repository.AskAsync("sent", "7"));
        Assert.Contains("need a 'config' parameter", (await repository.LoadAsync("sent2", new LoadOverrides(null, files)))!.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("../evil")]
    [InlineData("/tmp/evil")]
    [InlineData("1/../../evil")]
    public async Task LoadAsync_FileOutsideTheModel_IsRefused(string path)
    {
        await using var repository = new RepositoryUnderTest();
        var files = new Dictionary<string, ReadOnlyMemory<byte>> { [path] = new byte[1] };

        Assert.Contains("must be a relative path", (await repository.LoadAsync("sent", new LoadOverrides("{}", files)))!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task LoadAsync_FileThatCannotBeWritten_IsInternalAndNamesItWithoutTheServersPath()
    {
        await using var repository = new RepositoryUnderTest();
        foreach (string[] paths in (string[][])[[new('A', 256)], ["1", "1/model"]])
        {
            var files = paths.ToDictionary(path => path, _ => new ReadOnlyMemory<byte>(new byte[1]));

            var error = await repository.LoadAsync("sent", new LoadOverrides("{}", files));

            Assert.Equal(ErrorCode.Internal, error!.Code);
            Assert.StartsWith($"failed to load 'sent': failed to poll from model repository: file override 'file:{paths[^1]}' cannot be written", error.Message, StringComparison.Ordinal);
            Assert.DoesNotContain(Path.GetTempPath(), error.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("..")]
    [InlineData("a/b")]
    [InlineData("")]
    public async Task LoadAsync_NameThatIsAPath_IsRefused(string name)
    {
        await using var repository = new RepositoryUnderTest();

        Assert.Contains("single path segment", (await repository.LoadAsync(name))!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task PollAsync_FilesComeChangeAndGo_ModelsFollow()
    {
        await using var repository = new RepositoryUnderTest(ModelControlMode.Poll);
        repository.Write("a", "", (1, "1"));
        await repository.Models.StartAsync(default);
        var poller = new RepositoryPoller(repository.Options, repository.Models, TimeProvider.System);

        repository.Write("b", "", (1, "2"));
        repository.WriteVersions("a", (2, "100"));
        await poller.PollAsync(default);
        Assert.Equal("101", await repository.AskAsync("a"));
        Assert.Equal("3", await repository.AskAsync("b"));

        repository.Delete("b");
        await poller.PollAsync(default);
        Assert.Equal("Request for unknown model: 'b' has no available versions", await repository.AskAsync("b"));
        Assert.Equal("101", await repository.AskAsync("a"));
    }

    [Fact]
    public async Task LoadAsync_Ensemble_LoadsItsStepsAndRunsThem()
    {
        await using var repository = new RepositoryUnderTest();
        WriteEnsemble(repository);

        Assert.Null(await repository.LoadAsync("both"));

        Assert.Equal("111", await repository.AskAsync("both"));
        Assert.Equal(1, Statistics(repository, "ten").InferenceCount);
        Assert.Equal(1, Statistics(repository, "both").Success.Count);
        Assert.Null(await repository.UnloadAsync("both", unloadDependents: true));
        Assert.Equal("Request for unknown model: 'ten' has no available versions", await repository.AskAsync("ten"));
    }

    [Fact]
    public async Task UnloadAsync_StepOfAnEnsemble_TakesTheEnsembleDown()
    {
        await using var repository = new RepositoryUnderTest();
        WriteEnsemble(repository);
        await repository.LoadAsync("both");

        await repository.UnloadAsync("ten");

        Assert.Equal("Request for unknown model: 'both' has no available versions", await repository.AskAsync("both"));
    }

    [Theory]
    [InlineData("step { model_name: 'nosuch' input_map { key: 'X' value: 'X' } output_map { key: 'Y' value: 'Y' } }", "nosuch")]
    [InlineData("step { model_name: 'both' input_map { key: 'X' value: 'X' } output_map { key: 'Y' value: 'Y' } }", "ensemble both contains itself: both > both")]
    [InlineData("step { model_name: 'ten' output_map { key: 'Y' value: 'Y' } }", "lacks a tensor for input 'X'")]
    [InlineData("step { model_name: 'ten' input_map { key: 'X' value: 'Z' } output_map { key: 'Y' value: 'Y' } }", "nothing gives tensor 'Z'")]
    [InlineData("step { model_name: 'ten' input_map { key: 'X' value: 'X' } output_map { key: 'Q' value: 'Y' } }", "maps 'Q', which that model does not have")]
    [InlineData("step { model_name: 'ten' input_map { key: 'X' value: 'X' } output_map { key: 'Y' value: 'X' } }", "tensor 'X' comes from the ensemble's inputs and again from step 'ten'")]
    [InlineData(
        "step { model_name: 'ten' input_map { key: 'X' value: 'Y' } output_map { key: 'Y' value: 'Z' } } step { model_name: 'hundred' input_map { key: 'X' value: 'Z' } output_map { key: 'Y' value: 'Y' } }",
        "the steps 'ten', 'hundred' wait for each other's outputs, so none of them can start")]
    public async Task LoadAsync_EnsembleThatDoesNotFit_SaysWhere(string step, string expected)
    {
        await using var repository = new RepositoryUnderTest();
        WriteEnsemble(repository, step);

        Assert.Contains(expected, (await repository.LoadAsync("both"))!.Message, StringComparison.Ordinal);
    }

    /// <summary>Their loads begin together and need each other; which one is refused and which lacks its step is a matter of luck.</summary>
    [Fact]
    public async Task LoadAsync_EnsemblesThatContainEachOther_AreRefusedAndWaitForNothing()
    {
        for (var i = 0; i < 50; i++)
        {
            await using var repository = new RepositoryUnderTest();
            WriteEnsemble(repository, "step { model_name: 'other' input_map { key: 'X' value: 'X' } output_map { key: 'Y' value: 'Y' } }");
            WriteEnsemble(repository, "step { model_name: 'both' input_map { key: 'X' value: 'X' } output_map { key: 'Y' value: 'Y' } }", "other");

            var errors = await Task.WhenAll(Task.Run(() => repository.LoadAsync("both")), Task.Run(() => repository.LoadAsync("other")));

            Assert.All(errors, Assert.NotNull);
            Assert.Contains(errors, error => error!.Message.Contains("contains itself", StringComparison.Ordinal) || error.Message.Contains("'other'", StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task LoadAsync_EnsembleContainsItself_IsInTheIndexWithTheReason()
    {
        await using var repository = new RepositoryUnderTest();
        WriteEnsemble(repository, "step { model_name: 'both' input_map { key: 'X' value: 'X' } output_map { key: 'Y' value: 'Y' } }");
        await repository.LoadAsync("both");

        Assert.Contains(repository.Models.Index(readyOnly: false), line => line.Name == "both" && line.Reason.Contains("contains itself", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("P", 1, 0)]
    [InlineData("Q", 1, 1)]
    [InlineData("", 1, 1)]
    public async Task InferAsync_SomeOutputsOfAnEnsemble_RunsTheStepsTheyNeed(string asked, int ten, int hundred)
    {
        await using var repository = new RepositoryUnderTest();
        repository.Write("ten", "", (1, "10"));
        repository.Write("hundred", "", (1, "100"));
        repository.WriteConfig("two", """
            platform: "ensemble" max_batch_size: 8
            input { name: "X" data_type: TYPE_INT32 dims: -1 } output { name: "P" data_type: TYPE_INT32 dims: -1 } output { name: "Q" data_type: TYPE_INT32 dims: -1 }
            ensemble_scheduling {
              step { model_name: "hundred" model_version: -1 input_map { key: "X" value: "P" } output_map { key: "Y" value: "Q" } }
              step { model_name: "ten" model_version: -1 input_map { key: "X" value: "X" } output_map { key: "Y" value: "P" } }
            }
            """);
        Assert.Null(await repository.LoadAsync("two"));
        Assert.Null(repository.Models.TryAcquire("two", "", out var lease));
        using (lease)
        using (var request = TestModels.Request(1))
        {
            request.Outputs.AddRange(asked.Select(name => new RequestedOutput(name.ToString())));
            using var response = await lease.Model.InferAsync(request, default);

            Assert.Null(response.Error);
            Assert.Equal(asked.Length > 0 ? [asked] : ["P", "Q"], response.Outputs.Tensors.ToArray().Select(output => output.Name));
        }

        Assert.Equal((ten, hundred), (Statistics(repository, "ten").Success.Count, Statistics(repository, "hundred").Success.Count));
    }

    /// <summary>As when a step is cancelled, and its function still reads.</summary>
    [Fact]
    public void RequestOf_InputsAreStillReadWhenTheEnsembleIsOver_KeepsTheirMemory()
    {
        var pool = new TensorPool();
        using var request = new InferenceRequest(pool);
        TestModels.AddInput(request, "X", [1, 2], 1, 2);
        var outputs = new TensorSet(pool);
        outputs.Rent("Y", DataType.Int32, [1, 1], 4, out _);
        var first = new EnsembleStep("a", 1, new Dictionary<string, string> { ["X"] = "X" }, new Dictionary<string, string> { ["Y"] = "between" });
        var second = new EnsembleStep("b", 1, new Dictionary<string, string> { ["X"] = "X", ["Z"] = "between" }, new Dictionary<string, string>());
        var run = new EnsembleRun(request, steps: 2);
        Assert.True(run.TryAdd(first, new InferenceResponse("a", 1, "", outputs), out _));
        var step = run.RequestOf(second);
        var reading = step.Inputs.Share();

        step.Dispose();
        run.Finish([], InferenceError.Internal("over"));
        request.Dispose();

        Assert.Equal(2, pool.Outstanding);
        reading.Dispose();
        Assert.Equal(0, pool.Outstanding);
    }

    private static ModelStatisticsSnapshot Statistics(RepositoryUnderTest repository, string name)
    {
        Assert.Null(repository.Models.TryList(name, "", out var models));
        return models.Single().Statistics.Snapshot();
    }

    private static void WriteEnsemble(RepositoryUnderTest repository, string? steps = null, string name = "both")
    {
        repository.Write("ten", "", (1, "10"));
        repository.Write("hundred", "", (1, "100"));
        repository.WriteConfig(name, $$"""
            platform: "ensemble" max_batch_size: 8
            input { name: "X" data_type: TYPE_INT32 dims: -1 } output { name: "Y" data_type: TYPE_INT32 dims: -1 }
            ensemble_scheduling { {{steps ?? """
                step { model_name: "hundred" model_version: -1 input_map { key: "X" value: "middle" } output_map { key: "Y" value: "Y" } }
                step { model_name: "ten" model_version: -1 input_map { key: "X" value: "X" } output_map { key: "Y" value: "middle" } }
                """}} }
            """);
    }
}
