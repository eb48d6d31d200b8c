using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Runtime.Benchmarks.Load;

/// <summary>
/// <c>load-stream URL --connections 500 --seconds 10 --rate 20 --pid PID</c>: keeps so many streams of <c>ticker</c> open, at so many
/// events a second each, and tells how long an event took from its making to this client's read. Both processes read the machine's one
/// monotonic clock.
/// </summary>
internal static class StreamCommand
{
    public static async Task<int> RunAsync(string[] args)
    {
        var address = new Uri(args[1]);
        var (connections, seconds, pid) = (LoadCommand.Option(args, "--connections", 500), LoadCommand.Option(args, "--seconds", 10), LoadCommand.Option(args, "--pid", 0));
        var rate = LoadCommand.Option(args, "--rate", 20);
        var cpu = LoadCommand.Ticks(pid);
        // A lonely stream is read by a thread that never sleeps, so that its own waking, which idle cores take long for, does not count.
        var streams = connections == 1
            ? [await Task.Factory.StartNew(() => Read(address, seconds, rate), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)]
            : await Task.WhenAll(Enumerable.Range(0, connections).Select(position => ReadAsync(address, (seconds, rate), (position, connections))));
        var used = (LoadCommand.Ticks(pid) - cpu) / LoadCommand.TicksPerSecond / seconds;
        // The first second is the streams' beginning, which compiles and connects.
        var late = streams.SelectMany(stream => stream.Skip(rate)).Order().ToList();
        var broken = streams.Count(stream => stream.Count != seconds * rate);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{connections} streams of {rate} events/s  p50 {LoadCommand.At(late, 0.5):F0} µs  p99 {LoadCommand.At(late, 0.99):F0} µs from making to reading  {broken} not whole  server {used:F2} cores, {Resident(pid)} MB resident"));
        return broken == 0 ? 0 : 1;
    }

    private static List<long> Read(Uri address, int seconds, int rate)
    {
        using var socket = Connect(address);
        socket.Send(Request(address, seconds * rate, rate));
        var reader = new EventReader(seconds * rate);
        var buffer = new byte[4096];
        while (!reader.IsComplete)
        {
            if (socket.Available > 0)
            {
                reader.Take(buffer.AsSpan(0, socket.Receive(buffer)), Stopwatch.GetTimestamp());
            }
        }

        return reader.Delays;
    }

    private static async Task<List<long>> ReadAsync(Uri address, (int Seconds, int Rate) events, (int Position, int Count) stream)
    {
        // Real streams do not tick together.
        await Task.Delay(TimeSpan.FromSeconds((double)stream.Position / stream.Count));
        using var socket = Connect(address);
        await socket.SendAsync(Request(address, events.Seconds * events.Rate, events.Rate));
        var reader = new EventReader(events.Seconds * events.Rate);
        var buffer = new byte[1024];
        while (!reader.IsComplete && await socket.ReceiveAsync(buffer) is > 0 and var count)
        {
            reader.Take(buffer.AsSpan(0, count), Stopwatch.GetTimestamp());
        }

        return reader.Delays;
    }

    private static Socket Connect(Uri address)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        socket.Connect(address.Host, address.Port);
        return socket;
    }

    private static byte[] Request(Uri address, int events, int rate)
    {
        var body = string.Create(CultureInfo.InvariantCulture, $$"""{"count":{{events}},"per_second":{{rate}}}""");
        return Encoding.ASCII.GetBytes($"POST /ticks HTTP/1.1\r\nHost: {address.Authority}\r\nAccept: text/event-stream\r\nContent-Length: {body.Length}\r\n\r\n{body}");
    }

    /// <summary>Finds the events in what was received, wherever it was cut.</summary>
    private sealed class EventReader(int events)
    {
        private readonly List<byte> _rest = [];

        public List<long> Delays { get; } = new(events);

        public bool IsComplete => Delays.Count == events;

        public void Take(ReadOnlySpan<byte> received, long now)
        {
            _rest.AddRange(received);
            var text = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_rest);
            var used = 0;
            while (text[used..].IndexOf("data: "u8) is >= 0 and var start && text[(used + start)..].IndexOf((byte)'\n') is >= 0 and var end)
            {
                Delays.Add(now - long.Parse(text.Slice(used + start + 6, end - 6), CultureInfo.InvariantCulture));
                used += start + end + 1;
            }

            _rest.RemoveRange(0, used);
        }
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
