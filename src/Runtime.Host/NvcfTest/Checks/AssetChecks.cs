using System.Text;
using System.Text.Json;

namespace Runtime.Host.NvcfTest.Checks;

/// <summary>Files that come with a request, and ids that ask for files that do not.</summary>
internal static class AssetChecks
{
    private const string AssetId = "0b1d6f8e-5c0f-4f4e-9d0a-6d0c3a2b1c00";
    private const string OtherId = "0b1d6f8e-5c0f-4f4e-9d0a-6d0c3a2b1c01";
    private const string Foreign = "nvcf-test-foreign";

    /// <summary>What no answer may contain.</summary>
    private static readonly byte[] Canary = "nvcf-test: another request's file"u8.ToArray();

    public static readonly IReadOnlyList<FunctionCheck> All =
    [
        new("assets-unused", Level.Required, "Is not disturbed by assets that a request does not use.", UnusedAsync) { Inapplicable = CheckTable.WithoutHttp },
        new("asset", Level.Required, "Reads an asset of the request from NVCF-ASSET-DIR, by the id in its body that NVCF-FUNCTION-ASSET-IDS lists.", TakenAsync) { Inapplicable = WithoutAssets },
        new("asset-hostile", Level.Required, "Refuses ids that are unlisted, lead out of the directory or are too long, with 400 to 499 and without the file: ids come from clients.", HostileAsync) { Inapplicable = WithoutAssets },
    ];

    private static string? WithoutAssets(TestSettings settings)
        => CheckTable.WithoutHttp(settings) ?? (settings.AssetBody is null ? $"no --asset-body with the text {TestSettings.AssetPlaceholder}" : null);

    private static async Task<Finding> UnusedAsync(SimulatedPlatform platform, CancellationToken cancellation)
        => CheckTable.Good(await platform.InvokeAsync(platform.Plain with { AssetIds = AssetId, Prepare = directories => directories.AddAsset(AssetId, Canary) }, cancellation));

    private static async Task<Finding> TakenAsync(SimulatedPlatform platform, CancellationToken cancellation)
    {
        var content = platform.Settings.Asset ?? "hello"u8.ToArray();
        return CheckTable.Good(await platform.InvokeAsync(Asking(platform, AssetId, $"{AssetId},{OtherId}") with
        {
            Prepare = directories =>
            {
                directories.AddAsset(AssetId, content);
                directories.AddAsset(OtherId, content);
            },
        }, cancellation));
    }

    private static async Task<Finding> HostileAsync(SimulatedPlatform platform, CancellationToken cancellation)
    {
        var linked = "0b1d6f8e-5c0f-4f4e-9d0a-6d0c3a2b1c02";
        (string What, string Id, string Listed)[] attempts =
        [
            ("an unlisted id", OtherId, AssetId),
            ("a way up", "../" + Foreign, "../" + Foreign),
            ("an encoded way up", "..%2f" + Foreign, "..%2f" + Foreign),
            ("an absolute path", $"{platform.ContainerRoot.TrimEnd('/')}/inputAssets/{Foreign}", $"{platform.ContainerRoot.TrimEnd('/')}/inputAssets/{Foreign}"),
            ("a link that leads out", linked, linked),
            ("a NUL", AssetId + "\0", AssetId),
            ("no id", "", AssetId),
            ("the directory", ".", "."),
            ("a very long id", new string('a', 5000), new string('a', 5000)),
        ];
        foreach (var (what, id, listed) in attempts)
        {
            var answer = await platform.InvokeAsync(Asking(platform, id, listed) with { Prepare = directories => PutDown(directories, linked) }, cancellation);
            if (IsRevealed(answer) || answer.Fault is not null || answer.Status is < 400 or >= 500)
            {
                return Finding.Fail($"{what}: {(IsRevealed(answer) ? "the answer has the file's content" : answer.Summary)}");
            }
        }

        return Finding.Pass($"{attempts.Length} refused: {string.Join(", ", attempts.Select(attempt => attempt.What))}");
    }

    private static void PutDown(RequestDirectories directories, string linked)
    {
        directories.AddAsset(OtherId, Canary);
        directories.AddForeign(Foreign, Canary);
        File.CreateSymbolicLink(Path.Combine(directories.Input, linked), Path.Combine("..", Foreign));
    }

    private static Invocation Asking(SimulatedPlatform platform, string id, string listed)
    {
        var body = Encoding.UTF8.GetString(platform.Settings.AssetBody!).Replace(TestSettings.AssetPlaceholder, JsonEncodedText.Encode(id).ToString(), StringComparison.Ordinal);
        return platform.Plain with { Body = Encoding.UTF8.GetBytes(body), AssetIds = listed };
    }

    private static bool IsRevealed(Answer answer)
        => answer.Body.AsSpan().IndexOf(Canary) >= 0 || answer.Text.Contains(Convert.ToBase64String(Canary), StringComparison.Ordinal);
}
