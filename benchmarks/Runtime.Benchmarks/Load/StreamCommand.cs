using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text;

namespace Runtime.Benchmarks.Load;

/// <summary>
/// <c>load-stream URL --connections 500 --seconds 10 --pid PID</c>: keeps so many streams of <c>ticker</c> open at 20 events a
/// second each, and tells how long an event took from its making to this client's read. Both processes read the machine's one
/// monotonic clock.
/// </summary>
internal static class StreamCommand
{
    private const int EventsPerSecond = 20;

    public static async Task<int> RunAsync(string[] args)
    {
        var (connections, seconds, pid) = (LoadCommand.Option(args, "--connections", 500), LoadCommand.Option(args, "--seconds", 10), LoadCommand.Option(args, "--pid", 0));
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false, MaxConnectionsPerServer = connections }) { BaseAddress = new Uri(args[1]) };
        var cpu = LoadCommand.Ticks(pid);
        var streams = await Task.WhenAll(Enumerable.Range(0, connections).Select(_ => ReadAsync(client, seconds * EventsPerSecond)));
        var used = (LoadCommand.Ticks(pid) - cpu) / LoadCommand.TicksPerSecond / seconds;
        // The first second is the streams' beginning, which compiles and connects.
        var late = streams.SelectMany(stream => stream.Skip(EventsPerSecond)).Order().ToList();
        var broken = streams.Count(stream => stream.Count != seconds * EventsPerSecond);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{connections} streams of {EventsPerSecond} events/s  p50 {LoadCommand.At(late, 0.5):F0} µs  p99 {LoadCommand.At(late, 0.99):F0} µs from making to reading  {broken} not whole  server {used:F2} cores, {Resident(pid)} MB resident"));
        return broken == 0 ? 0 : 1;
    }

    private static async Task<List<long>> ReadAsync(HttpClient client, int events)
    {
        var delays = new List<long>(events);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/ticks")
        {
            Content = new StringContent(string.Create(CultureInfo.InvariantCulture, $$"""{"count":{{events}},"per_second":{{EventsPerSecond}}}"""), Encoding.UTF8, "application/json"),
        };
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/event-stream"));
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        response.EnsureSuccessStatusCode();
        await using var body = await response.Content.ReadAsStreamAsync();
        using var lines = new StreamReader(body);
        while (await lines.ReadLineAsync() is { } line)
        {
            if (line.StartsWith("data: ", StringComparison.Ordinal))
            {
                delays.Add(Stopwatch.GetTimestamp() - long.Parse(line.AsSpan("data: ".Length), CultureInfo.InvariantCulture));
            }
        }

        return delays;
    }

    private static long Resident(int pid)
    {
        if (pid == 0)
        {
            return 0;
        }

        using var process = Process.GetProcessById(pid);
        return process.WorkingSet64 >> 20;
    }
}
