using Runtime.Host.Lifecycle;
using Runtime.Host.Nvcf;
using Runtime.Host.Options;

namespace Runtime.Host.Tests.Nvcf;

/// <summary>The platform's rules for a container: when it is a function, ports, mounts and secrets.</summary>
public sealed class PlatformTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("platform").FullName;
    private readonly Dictionary<string, string> _environment = [];

    public PlatformTests() => Directory.CreateDirectory(Path.Combine(_root, "models"));

    private string Config => Path.Combine(_root, "config");

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Theory]
    [InlineData("", "", "", false)]
    [InlineData("", "NVCF_FUNCTION_ID", "f", true)]
    [InlineData("", "NVCF_FUNCTION_VERSION_ID", "v", true)]
    [InlineData("", "NVCF_FUNCTION_ID", "", false)]
    [InlineData("", "NVCF_REGION", "us", false)]
    [InlineData("--nvcf=true", "", "", true)]
    [InlineData("--nvcf=1", "", "", true)]
    [InlineData("--nvcf=false", "NVCF_FUNCTION_ID", "f", false)]
    [InlineData("--nvcf=auto", "NVCF_FUNCTION_ID", "f", true)]
    public void Bind_Function_IsWhatIsSaidOrElseWhatTheEnvironmentShows(string line, string variable, string value, bool expected)
    {
        _environment[variable] = value;

        Assert.Equal(expected, Bind(line).IsFunction);
    }

    [Theory]
    [InlineData("--http-port=8080", "--http-port: NVIDIA Cloud Functions keeps the ports 8080 and 8010 for itself, got 8080; choose another")]
    [InlineData("--grpc-port=8010", "--grpc-port: NVIDIA Cloud Functions keeps the ports 8080 and 8010 for itself, got 8010; choose another")]
    [InlineData("--metrics-port=8080", "--metrics-port: NVIDIA Cloud Functions keeps the ports 8080 and 8010 for itself, got 8080; choose another")]
    [InlineData("--exit-timeout-secs=111", "--drain-delay-secs and --exit-timeout-secs: a function has 110 seconds to stop, got 111")]
    [InlineData("--exit-timeout-secs=100 --drain-delay-secs=11", "--drain-delay-secs and --exit-timeout-secs: a function has 110 seconds to stop, got 111")]
    public void Bind_WhatAFunctionMustNot_IsRefusedInOneSentence(string line, string expected)
    {
        Assert.Equal(expected, Assert.Throws<StartException>(() => Bind(line + " --nvcf=true")).Message);
        Assert.False(Bind(line).IsFunction);
    }

    [Theory]
    [InlineData("--metrics-port=8080 --allow-metrics=false")]
    [InlineData("--exit-timeout-secs=110")]
    [InlineData("")]
    public void Bind_WhatAFunctionMay_Stands(string line) => Assert.True(Bind(line + " --nvcf=true").IsFunction);

    [Theory]
    [InlineData("--nvcf=maybe", "--nvcf: expected true, false or auto, got 'maybe'")]
    [InlineData("--nvcf-max-asset-size=0", "--nvcf-max-asset-size: expected 1 or more, got 0")]
    [InlineData("--http-header-forward-pattern=(?=a)", "--http-header-forward-pattern: '(?=a)' is not a regular expression")]
    public void Bind_WrongSettings_AreRefused(string line, string expected) => Assert.Equal(expected, Assert.Throws<StartException>(() => Bind(line)).Message);

    [Fact]
    public void Bind_LogBelowTheMounts_IsRefused()
    {
        var fault = Assert.Throws<StartException>(() => Bind($"--nvcf=true --nvcf-config-root={Config} --log-file={Config}/host.log"));

        Assert.Contains("must not write to", fault.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Config));
    }

    [Fact]
    public void Bind_OnlyMountedModels_NeedsNoRepository()
    {
        Directory.Delete(Path.Combine(_root, "models"));
        Assert.Throws<StartException>(() => Bind($"--nvcf=true --nvcf-config-root={Config}"));
        NvcfHost.WriteModel(Path.Combine(Config, "models", "mounted"), "");

        Assert.Empty(Bind($"--nvcf=true --nvcf-config-root={Config}").ModelRepository);
        Assert.Throws<StartException>(() => Bind($"--nvcf=false --nvcf-config-root={Config}"));
    }

    [Fact]
    public void FindModels_Mounts_AreModelsOrRepositoriesOrNeither()
    {
        NvcfHost.WriteModel(Path.Combine(Config, "models", "with-config"), "");
        Directory.CreateDirectory(Path.Combine(Config, "models", "with-version", "3"));
        NvcfHost.WriteModel(Path.Combine(Config, "models", "repository", "inner"), "");
        Directory.CreateDirectory(Path.Combine(Config, "models", "weights", "part-1"));
        Directory.CreateDirectory(Path.Combine(Config, "models", ".hidden", "1"));

        var (models, repositories) = FunctionMounts.FindModels(Config, []);

        Assert.Equal(["with-config", "with-version"], models.Select(Path.GetFileName));
        Assert.Equal(["repository"], repositories.Select(Path.GetFileName));
    }

    [Fact]
    public void FindModels_WhatTheSettingsName_IsLeftOut()
    {
        NvcfHost.WriteModel(Path.Combine(Config, "models", "a", "inner"), "");
        NvcfHost.WriteModel(Path.Combine(Config, "models", "b"), "");

        Assert.Equal(([], []), FunctionMounts.FindModels(Config, [Path.Combine(Config, "models") + "/"]));
        Assert.Empty(FunctionMounts.FindModels(Config, [Path.Combine(Config, "models", "a")]).Repositories);
    }

    [Fact]
    public void FindResources_Mounts_AreThereByName()
    {
        Directory.CreateDirectory(Path.Combine(Config, "resources", "simple_resource"));

        Assert.Equal([KeyValuePair.Create("simple_resource", Path.Combine(Config, "resources", "simple_resource"))], FunctionMounts.FindResources(Config));
        Assert.Empty(FunctionMounts.FindResources(Path.Combine(_root, "nowhere")));
    }

    /// <summary>Mounted models of each kind are served, and nothing below the mounts changes.</summary>
    [Fact]
    public async Task Serve_MountedModels_BesideTheRepositoryAndWithoutAWrite()
    {
        await using var host = await NvcfHost.StartAsync(options =>
        {
            NvcfHost.WriteModel(Path.Combine(options.NvcfConfigRoot, "models", "mounted"), NvcfHost.Repeats("identity", "TYPE_INT32"));
            NvcfHost.WriteModel(Path.Combine(options.NvcfConfigRoot, "models", "bundle", "inner"), NvcfHost.Repeats("identity", "TYPE_INT32"));
            Directory.CreateDirectory(Path.Combine(options.NvcfConfigRoot, "models", "weights"));
            return options;
        });
        var before = Snapshot(Path.Combine(host.Root, "config"));
        const string Body = """{"inputs":[{"name":"X","shape":[1],"datatype":"INT32","data":[7]}]}""";

        foreach (var model in new[] { "mounted", "inner", "numbers" })
        {
            Assert.Equal(200, (await host.PostAsync($"/v2/models/{model}/infer", Body, host.Headers())).Status);
        }

        Assert.DoesNotContain("weights", (await host.PostAsync("/v2/repository/index", "{}", [])).Text, StringComparison.Ordinal);
        Assert.Equal(before, Snapshot(Path.Combine(host.Root, "config")));
    }

    [Fact]
    public void Secrets_Change_IsSeenAtTheNextUse()
    {
        var file = Path.Combine(_root, "secrets.json");
        var secrets = new Secrets(file);
        Assert.Null(secrets.Find("key"));

        File.WriteAllText(file, """{"key":"first","more":{"a":[1]}}""");
        Assert.Equal(("first", """{"a":[1]}""", null), (secrets.Find("key"), secrets.Find("more"), secrets.Find("none")));

        File.WriteAllText(file, """{"key":"second one"}""");
        Assert.Equal(("second one", null), (secrets.Find("key"), secrets.Find("more")));

        File.WriteAllText(file, """{"key":"hal""");
        Assert.Equal("second one", secrets.Find("key"));

        File.Delete(file);
        Assert.Null(secrets.Find("key"));
    }

    /// <summary>Kubernetes rotates a mounted secret by turning a link to another directory.</summary>
    [Fact]
    public void Secrets_RotatedThroughLinks_AreSeen()
    {
        foreach (var (version, value) in new[] { ("v1", "aaaa"), ("v2", "bbbb") })
        {
            Directory.CreateDirectory(Path.Combine(_root, version));
            File.WriteAllText(Path.Combine(_root, version, "secrets.json"), $$"""{"key":"{{value}}"}""");
            File.SetLastWriteTimeUtc(Path.Combine(_root, version, "secrets.json"), new DateTime(2026, 1, version[1] - '0', 0, 0, 0, DateTimeKind.Utc));
        }

        Directory.CreateSymbolicLink(Path.Combine(_root, "..data"), "v1");
        File.CreateSymbolicLink(Path.Combine(_root, "secrets.json"), "..data/secrets.json");
        var secrets = new Secrets(Path.Combine(_root, "secrets.json"));
        Assert.Equal("aaaa", secrets.Find("key"));

        Directory.Delete(Path.Combine(_root, "..data"));
        Directory.CreateSymbolicLink(Path.Combine(_root, "..data"), "v2");

        Assert.Equal("bbbb", secrets.Find("key"));
    }

    [Fact]
    public void Platform_ResourcesAndSecrets_ReachTheRequest()
    {
        Directory.CreateDirectory(Path.Combine(Config, "resources", "r"));
        File.WriteAllText(Path.Combine(_root, "s.json"), """{"k":"v"}""");
        var conventions = new NvcfConventions(new HostOptions { Nvcf = "true", NvcfConfigRoot = Config, NvcfSecretsFile = Path.Combine(_root, "s.json") });

        using var request = conventions.TryBegin(new Microsoft.AspNetCore.Http.HeaderDictionary { ["NVCF-REQID"] = "1" });

        Assert.Equal(["r"], request!.Context.Platform!.Resources.Keys);
        Assert.Equal("v", request.Context.Platform.FindSecret("k"));
    }

    private static string[] Snapshot(string directory) => [.. Directory.EnumerateFileSystemEntries(directory, "*", SearchOption.AllDirectories).Select(path => $"{path} {File.GetLastWriteTimeUtc(path):O}").Order(StringComparer.Ordinal)];

    private HostOptions Bind(string line) => HostOptionsBinder.Bind(line.Split(' ', StringSplitOptions.RemoveEmptyEntries), _environment, _root).Options;
}
