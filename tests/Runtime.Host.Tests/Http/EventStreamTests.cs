using System.IO.Pipelines;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Runtime.Host.Http;
using HostOptions = Runtime.Host.Options.HostOptions;

namespace Runtime.Host.Tests.Http;

public sealed class EventStreamTests
{
    private readonly Clock _clock = new();

    [Fact]
    public async Task Silence_AfterTheInterval_IsACommentLine()
    {
        var (context, sent) = Context(new PipeOptions());
        await using (var stream = new EventStream(context, new HostOptions { SseHeartbeatSecs = 15 }, _clock))
        {
            await stream.SendAsync("data: 1\n\n"u8.ToArray());
            _clock.Pass(TimeSpan.FromSeconds(15));
            _clock.Pass(TimeSpan.FromSeconds(10));
            await stream.SendAsync("data: 2\n\n"u8.ToArray());
            _clock.Pass(TimeSpan.FromSeconds(5));
            await stream.EndAsync();
        }

        _clock.Pass(TimeSpan.FromSeconds(60));
        Assert.Equal("data: 1\n\n: keep-alive\n\ndata: 2\n\n", await TextAsync(context, sent));
    }

    [Fact]
    public async Task Silence_WithoutHeartbeat_IsNothing()
    {
        var (context, sent) = Context(new PipeOptions());
        await using (var stream = new EventStream(context, new HostOptions { SseHeartbeatSecs = 0 }, _clock))
        {
            _clock.Pass(TimeSpan.FromHours(1));
            await stream.EndAsync();
        }

        Assert.Equal("", await TextAsync(context, sent));
        Assert.Equal("text/event-stream; charset=utf-8", context.Response.ContentType);
    }

    [Fact]
    public async Task End_WithTerminalEvent_SendsIt()
    {
        var (context, sent) = Context(new PipeOptions());
        await using (var stream = new EventStream(context, new HostOptions { SseTerminalEvent = "[DONE]" }, _clock))
        {
            await stream.SendAsync("data: 1\n\n"u8.ToArray());
            await stream.EndAsync();
        }

        Assert.Equal("data: 1\n\ndata: [DONE]\n\n", await TextAsync(context, sent));
    }

    [Fact]
    public async Task Send_ClientThatDoesNotRead_WaitsAndLetsNoBeatsPileUp()
    {
        var (context, sent) = Context(new PipeOptions(pauseWriterThreshold: 16, resumeWriterThreshold: 8));
        await using (var stream = new EventStream(context, new HostOptions { SseHeartbeatSecs = 1 }, _clock))
        {
            var slow = stream.SendAsync("data: more than sixteen bytes\n\n"u8.ToArray());
            Assert.False(slow.IsCompleted);
            for (var i = 0; i < 100; i++)
            {
                _clock.Pass(TimeSpan.FromSeconds(1));
            }

            var first = await sent.ReadAsync();
            Assert.Equal("data: more than sixteen bytes\n\n", Encoding.UTF8.GetString(first.Buffer));
            sent.AdvanceTo(first.Buffer.End);
            await slow;
        }
    }

    private static (DefaultHttpContext Context, PipeReader Sent) Context(PipeOptions options)
    {
        var pipe = new Pipe(options);
        var context = new DefaultHttpContext();
        context.Features.Set<IHttpResponseBodyFeature>(new PipeBody(pipe.Writer));
        return (context, pipe.Reader);
    }

    private static async Task<string> TextAsync(DefaultHttpContext context, PipeReader sent)
    {
        await context.Response.BodyWriter.CompleteAsync();
        var all = await sent.ReadAtLeastAsync(int.MaxValue);
        return Encoding.UTF8.GetString(all.Buffer);
    }

    private sealed class PipeBody(PipeWriter writer) : IHttpResponseBodyFeature
    {
        public Stream Stream => writer.AsStream();

        public PipeWriter Writer => writer;

        public Task CompleteAsync() => writer.CompleteAsync().AsTask();

        public void DisableBuffering()
        {
        }

        public Task SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public Task StartAsync(CancellationToken cancellationToken = default) => Task.CompletedTask;
    }

    /// <summary>Time that passes when a test says so, with one periodic timer.</summary>
    private sealed class Clock : TimeProvider
    {
        private TimeSpan _now;
        private TimeSpan _due;
        private TimeSpan _period;
        private Action? _tick;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _now.Ticks;

        public void Pass(TimeSpan time)
        {
            for (_now += time; _tick is not null && _due <= _now; _due += _period)
            {
                _tick();
            }
        }

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            (_tick, _due, _period) = (() => callback(state), _now + dueTime, period);
            return new Timer(this);
        }

        private sealed class Timer(Clock clock) : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period) => throw new NotSupportedException();

            public void Dispose() => clock._tick = null;

            public ValueTask DisposeAsync()
            {
                Dispose();
                return ValueTask.CompletedTask;
            }
        }
    }
}
