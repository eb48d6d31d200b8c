using System.Diagnostics;
using System.Globalization;

namespace Runtime.Benchmarks.Load;

/// <summary>
/// <c>load-grpc URL</c> and <c>load-http URL</c>: the same client sends the same tensors to <c>simple</c>, so that what a
/// request costs the server can be compared between the two. <c>--connections 16 --seconds 5 --pid PID</c>.
/// </summary>
internal static class LoadCommand
{
    /// <summary>Linux counts processor time in these for every program.</summary>
    public const double TicksPerSecond = 100;

    public static async Task<int> RunAsync(string[] args)
    {
        if (args.Length < 2 || !Uri.TryCreate(args[1], UriKind.Absolute, out var address))
        {
            Console.Error.WriteLine($"{args[0]}: expected the URL of a host that serves 'simple', such as http://127.0.0.1:8001, got {(args.Length < 2 ? "none" : args[1])}");
            return 2;
        }

        var target = args[0] == "load-grpc" ? LoadTarget.Grpc(address) : LoadTarget.Http(address);
        var (connections, seconds, pid) = (Option(args, "--connections", 16), Option(args, "--seconds", 5), Option(args, "--pid", 0));
        var clients = Enumerable.Range(0, connections).Select(_ => new HttpMessageInvoker(new SocketsHttpHandler { UseProxy = false })).ToArray();
        await SendAsync(clients, target, seconds: 2); // warm-up
        var before = Ticks(pid);
        var latencies = await SendAsync(clients, target, seconds);
        var cpu = (Ticks(pid) - before) / TicksPerSecond * 1e6 / latencies.Count;
        latencies.Sort();
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{args[0],-9} {connections,3} connections  {latencies.Count / (double)seconds,8:F0} requests/s  p50 {At(latencies, 0.5),6:F0} µs  p99 {At(latencies, 0.99),6:F0} µs  server CPU {cpu,5:F1} µs a request"));
        return 0;
    }

    private static async Task<List<long>> SendAsync(HttpMessageInvoker[] clients, LoadTarget target, int seconds)
    {
        var end = Stopwatch.GetTimestamp() + (seconds * Stopwatch.Frequency);
        var latencies = await Task.WhenAll(clients.Select(client => Task.Run(() => SendAsync(client, target, end))));
        return [.. latencies.SelectMany(some => some)];
    }

    private static async Task<List<long>> SendAsync(HttpMessageInvoker client, LoadTarget target, long end)
    {
        var latencies = new List<long>(1 << 16);
        for (var start = Stopwatch.GetTimestamp(); start < end;)
        {
            using var request = target.Request();
            using var response = await client.SendAsync(request, CancellationToken.None);
            await response.Content.ReadAsByteArrayAsync();
            if (!target.IsServed(response))
            {
                throw new InvalidOperationException($"the server answered {response}");
            }

            var now = Stopwatch.GetTimestamp();
            latencies.Add(now - start);
            start = now;
        }

        return latencies;
    }

    /// <summary>A quantile in microseconds of sorted ticks.</summary>
    public static double At(List<long> sorted, double share) => sorted[(int)(share * (sorted.Count - 1))] * 1e6 / Stopwatch.Frequency;

    public static int Option(string[] args, string name, int otherwise)
    {
        var index = Array.IndexOf(args, name);
        return index < 0 ? otherwise : int.Parse(args[index + 1], CultureInfo.InvariantCulture);
    }

    /// <summary>The processor time that a process has used, in user and system mode.</summary>
    public static long Ticks(int pid)
    {
        if (pid == 0)
        {
            return 0;
        }

        var stat = File.ReadAllText($"/proc/{pid}/stat");
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture);
    }
}
