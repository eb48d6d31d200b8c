using Runtime.Models;

namespace Runtime.Tests.Models;

public class InstanceGroupTests
{
    [Theory]
    [InlineData("instance_group { count: 2 kind: KIND_CPU } instance_group { count: 3 kind: KIND_AUTO }", "5 instances on CPU")]
    [InlineData("instance_group { kind: KIND_AUTO }", "1 instance on CPU")]
    public async Task LoadAsync_Groups_AddUpAndTheEventSaysWhatTheyTook(string groups, string expected)
    {
        await using var repository = new RepositoryUnderTest();
        var events = new List<ModelEvent>();
        repository.Models.Changed += events.Add;
        repository.Write("a", groups, (1, "10"));

        Assert.Null(await repository.LoadAsync("a"));

        Assert.Equal([new ModelEvent("a", 1, ModelState.Ready, expected)], events);
    }
}
