using Runtime.Host.Grpc;

namespace Runtime.Host.Tests.Nvcf;

/// <summary>Ids that try to reach what is not an asset of the request, over both protocols.</summary>
public sealed class HostileAssetTests
{
    public static TheoryData<string> Hostile => new("..", ".", "", "../" + AssetTests.Id, "../../etc/passwd", "/etc/passwd", "a\0b", "sub/" + AssetTests.Id, "sub\\a", "elsewhere", "missing", "out", "dir", new string('x', 300));

    [Theory]
    [MemberData(nameof(Hostile))]
    public async Task Asset_HostileId_Is400OverHttp(string id)
    {
        await using var host = await HostileAsync();

        foreach (var (target, body) in new[] { ("/v2/models/text/infer", AssetTests.Infer("BYTES", "[1]", id)), ("/v2/models/text/generate", AssetTests.Generate(id)) })
        {
            var answer = await host.PostAsync(target, body, host.Headers(Listed(id)));

            Assert.True(answer.Status == 400, answer.Text);
            Assert.Contains("asset", answer.Error, StringComparison.Ordinal);
            Assert.InRange(answer.Error.Length, 10, 400);
        }
    }

    [Theory]
    [MemberData(nameof(Hostile))]
    public async Task Asset_HostileId_IsInvalidArgumentOverGrpc(string id)
    {
        await using var host = await HostileAsync();

        var answer = await host.CallAsync(AssetTests.Request("text", "BYTES", 1, id), host.Headers(Listed(id)));

        answer.AssertFails(GrpcStatusCode.InvalidArgument, "asset");
        Assert.DoesNotContain("root:", answer.Message, StringComparison.Ordinal);
    }

    /// <summary>The header as the hostile case wants it: the id is listed wherever a header can carry it, but for one that is not.</summary>
    private static string Listed(string id) => id == "elsewhere" || id.Contains('\0') ? "a" : "a," + id;

    /// <summary>A host whose asset directory has links out of it and a directory in it, and files around it.</summary>
    private static async Task<NvcfHost> HostileAsync()
    {
        var host = await NvcfHost.StartAsync();
        host.AddAsset("elsewhere", "root: not listed"u8.ToArray());
        await File.WriteAllTextAsync(Path.Combine(host.Assets, "..", AssetTests.Id), "root: outside");
        Directory.CreateDirectory(Path.Combine(host.Assets, "dir"));
        Directory.CreateDirectory(Path.Combine(host.Assets, "sub"));
        await File.WriteAllTextAsync(Path.Combine(host.Assets, "sub", AssetTests.Id), "root: below");
        File.CreateSymbolicLink(Path.Combine(host.Assets, "out"), "/etc/passwd");
        return host;
    }
}
