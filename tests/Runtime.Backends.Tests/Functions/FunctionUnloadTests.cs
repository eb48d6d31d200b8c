namespace Runtime.Backends.Tests.Functions;

public sealed class FunctionUnloadTests : PoolTest
{
    [Fact]
    public async Task Unload_AfterRequests_FreesTheAssembly()
    {
        await using var repository = new FunctionRepository();
        repository.Write("freed", FunctionRepository.Answering("""new { Inner = inputs.Get<int>("X"), List = new[] { 1 } }"""));
        Assert.Equal("", await repository.LoadAsync("freed"));
        Assert.Equal("""{"Inner":3,"List":[1]}""", await repository.AskAsync("freed", 3));
        var contexts = FunctionRepository.Contexts("freed");
        Assert.Single(contexts);

        await repository.UnloadAsync("freed");

        Assert.Equal(0, await FunctionRepository.CollectAsync(contexts));
    }

    [Fact]
    public async Task LoadAndUnload_FiftyTimes_LeavesNothing()
    {
        await using var repository = new FunctionRepository();
        repository.Write("again", "model.dll", FunctionLoadTests.Compile("again", FunctionRepository.Answering("5")));
        var contexts = new List<WeakReference>();
        for (var i = 0; i < 50; i++)
        {
            Assert.Equal("", await repository.LoadAsync("again"));
            Assert.Equal("5", await repository.AskAsync("again"));
            contexts.AddRange(FunctionRepository.Contexts("again"));
            await repository.UnloadAsync("again");
        }

        Assert.Equal(0, await FunctionRepository.CollectAsync(contexts));
    }

    [Fact]
    public async Task Load_FailsAfterCompiling_FreesTheAssembly()
    {
        await using var repository = new FunctionRepository();
        repository.Write("refused", "public class Plain { }");

        Assert.NotEqual("", await repository.LoadAsync("refused"));

        Assert.Equal(0, await FunctionRepository.CollectAsync(FunctionRepository.Contexts("refused")));
    }

    [Fact]
    public async Task Reload_UnderLoad_LosesNoRequestAndFreesTheOldAssembly()
    {
        await using var repository = new FunctionRepository();
        repository.Write("moving", FunctionRepository.Answering("1"));
        Assert.Equal("", await repository.LoadAsync("moving"));
        var old = FunctionRepository.Contexts("moving");
        using var stop = new CancellationTokenSource();
        var clients = Enumerable.Range(0, 4).Select(_ => Task.Run(() => AskUntilAsync(repository, stop.Token))).ToArray();

        repository.Write("moving", FunctionRepository.Answering("10 + 12"));
        Assert.Equal("", await repository.LoadAsync("moving"));
        Assert.Equal("22", await repository.AskAsync("moving"));
        await stop.CancelAsync();

        var answers = (await Task.WhenAll(clients)).SelectMany(client => client).ToHashSet();
        Assert.Subset(new HashSet<string> { "1", "22" }, answers);
        Assert.Equal(0, await FunctionRepository.CollectAsync(old));
    }

    private static async Task<List<string>> AskUntilAsync(FunctionRepository repository, CancellationToken stop)
    {
        var answers = new List<string>();
        while (!stop.IsCancellationRequested)
        {
            answers.Add(await repository.AskAsync("moving"));
        }

        return answers;
    }
}
