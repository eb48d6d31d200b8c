using System.Text;
using Runtime.Functions.Compiler;

namespace Runtime.Backends.Tests.Functions;

public sealed class FunctionLoadTests : PoolTest
{
    [Fact]
    public async Task Load_Source_IsCompiledAndAnswers()
    {
        await using var repository = new FunctionRepository();
        repository.Write("plus", FunctionRepository.Answering("""inputs.Get("X", 0) + 1"""));

        Assert.Equal("", await repository.LoadAsync("plus"));
        Assert.Equal("8", await repository.AskAsync("plus", 7));
    }

    [Fact]
    public async Task Load_SeveralSources_AreOneAssembly()
    {
        await using var repository = new FunctionRepository();
        repository.Write("two", FunctionRepository.Answering("Other.Number"));
        repository.Write("two", "internal static class Other { public const int Number = 12; }", file: "other.cs");

        Assert.Equal("", await repository.LoadAsync("two"));
        Assert.Equal("12", await repository.AskAsync("two"));
    }

    [Fact]
    public async Task Load_Errors_NameFileLineColumnAndMessage()
    {
        await using var repository = new FunctionRepository();
        repository.Write("wrong", "public sealed class A : Function\n{\n    int Y = unknown;\n    string Z = 1;\n}\n");

        var reason = await repository.LoadAsync("wrong");

        Assert.Contains("function 'wrong' does not compile: ", reason, StringComparison.Ordinal);
        Assert.Contains("model.cs(3,13): error CS0103: The name 'unknown' does not exist in the current context", reason, StringComparison.Ordinal);
        Assert.Contains("model.cs(4,16): error CS0029", reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Load_ManyErrors_TellsSomeAndTheirNumber()
    {
        await using var repository = new FunctionRepository();
        repository.Write("wrong", $"class A {{ {string.Concat(Enumerable.Range(0, 30).Select(i => $"int F{i} = u{i};\n"))} }}");

        Assert.Contains("; and 10 more", await repository.LoadAsync("wrong"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("public class Plain { }", "model 'odd' has no public class that derives from Function")]
    [InlineData("public sealed class Nothing : Function { }", "class Nothing of model 'odd' must override InferAsync, InferBatchAsync or StreamAsync")]
    [InlineData("public sealed class Needy(int x) : Function { public override ValueTask<Outputs> InferAsync(Inputs i, FunctionRequest r) => new Outputs { [\"Y\"] = x }; }", "class Needy of model 'odd' needs a public constructor without parameters")]
    public async Task Load_NoFunction_SaysWhatIsMissing(string source, string reason)
    {
        await using var repository = new FunctionRepository();
        repository.Write("odd", source);

        Assert.Contains(reason, await repository.LoadAsync("odd"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Load_SeveralFunctions_NeedsTheParameter()
    {
        await using var repository = new FunctionRepository();
        var source = FunctionRepository.Answering("1") + FunctionRepository.Answering("2").Replace("Answer", "Other", StringComparison.Ordinal);
        repository.Write("many", source);
        Assert.Contains("has 2 public classes that derive from Function (Answer, Other); name one with parameter 'function'", await repository.LoadAsync("many"), StringComparison.Ordinal);

        repository.Write("many", source, FunctionRepository.Config + "parameters { key: 'function' value { string_value: 'Other' } }");
        Assert.Equal("", await repository.LoadAsync("many"));
        Assert.Equal("2", await repository.AskAsync("many"));
    }

    [Fact]
    public async Task Load_Assembly_IsServedAsItIs()
    {
        await using var repository = new FunctionRepository();
        repository.Write("ready", "model.dll", Compile("ready", FunctionRepository.Answering("33")));

        Assert.Equal("", await repository.LoadAsync("ready"));
        Assert.Equal("33", await repository.AskAsync("ready"));
    }

    [Fact]
    public async Task Load_NoAssembly_SaysSo()
    {
        await using var repository = new FunctionRepository();
        repository.Write("junk", "model.dll", [1, 2, 3]);

        Assert.Contains("'model.dll' of model 'junk' cannot be loaded", await repository.LoadAsync("junk"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Load_AssemblyBeside_IsReferencedAndLoaded()
    {
        await using var repository = new FunctionRepository();
        repository.Write("user", "function_helper.dll", Compile("helper", "public static class Helper { public static int Twice(int x) => 2 * x; }"));
        repository.Write("user", FunctionRepository.Answering("""Helper.Twice(inputs.Get<int>("X"))"""));

        Assert.Equal("", await repository.LoadAsync("user"));
        Assert.Equal("10", await repository.AskAsync("user", 5));
    }

    [Theory]
    [InlineData("public F() => throw new InvalidOperationException(\"no luck\");", "function 'unlucky' failed in its constructor with InvalidOperationException: no luck")]
    [InlineData("public override ValueTask InitializeAsync(FunctionContext c) => throw new InvalidOperationException(\"no luck\");", "function 'unlucky' failed in InitializeAsync with InvalidOperationException: no luck")]
    public async Task Load_ThrowsWhileItBegins_IsTheReason(string member, string reason)
    {
        await using var repository = new FunctionRepository();
        repository.Write("unlucky", $"public sealed class F : Function {{ {member} public override ValueTask<Outputs> InferAsync(Inputs i, FunctionRequest r) => new Outputs(); }}");

        Assert.Contains(reason, await repository.LoadAsync("unlucky"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Unload_DisposeThrows_IsUnloadedAllTheSame()
    {
        await using var repository = new FunctionRepository();
        repository.Write("sore", FunctionRepository.Answering("1").Replace("{\n", "{ public override ValueTask DisposeAsync() => throw new InvalidOperationException();\n", StringComparison.Ordinal));
        Assert.Equal("", await repository.LoadAsync("sore"));

        await repository.UnloadAsync("sore");

        Assert.DoesNotContain(repository.Models.Index(readyOnly: true), entry => entry.Name == "sore");
    }

    [Fact]
    public async Task Load_StreamOnly_IsDecoupled()
    {
        await using var repository = new FunctionRepository();
        repository.Write("stream", """
            public sealed class S : Function
            {
                public override async IAsyncEnumerable<Outputs> StreamAsync(Inputs inputs, FunctionRequest request)
                {
                    await Task.Yield();
                    yield return new() { ["Y"] = 1 };
                }
            }
            """);
        Assert.Equal("", await repository.LoadAsync("stream"));
        Assert.Null(repository.Models.TryAcquire("stream", "", out var lease));
        using (lease)
        {
            Assert.True(lease.Model.Config.IsDecoupled);
            Assert.False(lease.Model.AnswersOnce);
        }
    }

    internal static byte[] Compile(string name, string source) => SourceCompiler.Compile(new FunctionSources(name, [new SourceFile("model.cs", Encoding.UTF8.GetBytes(source))], []));
}
