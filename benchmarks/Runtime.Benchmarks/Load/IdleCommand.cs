using System.Diagnostics;
using System.Globalization;

namespace Runtime.Benchmarks.Load;

/// <summary>
/// <c>load-idle URL</c>: one client with one connection asks for the server's health and for an inference of <c>simple</c> in
/// turn, so that both see the same machine. <c>--seconds 5 --rounds 3</c>.
/// </summary>
internal static class IdleCommand
{
    public static async Task<int> RunAsync(string[] args)
    {
        var address = new Uri(args[1]);
        var target = LoadTarget.Http(address);
        using var client = new HttpMessageInvoker(new SocketsHttpHandler { UseProxy = false });
        await LoadAsync(client, address, target, seconds: 3); // warm-up
        for (var round = 0; round < LoadCommand.Option(args, "--rounds", 3); round++)
        {
            var (health, infer) = await LoadAsync(client, address, target, LoadCommand.Option(args, "--seconds", 5));
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{infer.Count} of each: health p50 {LoadCommand.At(health, 0.5):F0} µs, p99 {LoadCommand.At(health, 0.99):F0} µs; infer p50 {LoadCommand.At(infer, 0.5):F0} µs, p99 {LoadCommand.At(infer, 0.99):F0} µs; {LoadCommand.At(infer, 0.5) - LoadCommand.At(health, 0.5):F0} µs apart at p50"));
        }

        return 0;
    }

    private static async Task<(List<long> Health, List<long> Infer)> LoadAsync(HttpMessageInvoker client, Uri address, LoadTarget target, int seconds)
    {
        var (health, infer) = (new List<long>(1 << 16), new List<long>(1 << 16));
        var end = Stopwatch.GetTimestamp() + (seconds * Stopwatch.Frequency);
        while (Stopwatch.GetTimestamp() < end)
        {
            health.Add(await SendAsync(client, new HttpRequestMessage(HttpMethod.Get, new Uri(address, "/v2/health/live"))));
            infer.Add(await SendAsync(client, target.Request()));
        }

        health.Sort();
        infer.Sort();
        return (health, infer);
    }

    private static async Task<long> SendAsync(HttpMessageInvoker client, HttpRequestMessage request)
    {
        using (request)
        {
            var start = Stopwatch.GetTimestamp();
            using var response = await client.SendAsync(request, CancellationToken.None);
            await response.Content.ReadAsByteArrayAsync();
            return response.IsSuccessStatusCode ? Stopwatch.GetTimestamp() - start : throw new InvalidOperationException($"the server answered {response}");
        }
    }
}
