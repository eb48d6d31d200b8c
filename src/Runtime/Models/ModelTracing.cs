using System.Diagnostics;
using System.Runtime.CompilerServices;
using Runtime.Inference;

namespace Runtime.Models;

/// <summary>
/// The spans of the activity source <c>Runtime</c>: one for each use of a model, by a client, a function or an ensemble, with the time that
/// it waited and the time that it computed below it. Costs a request one look at a field while nobody listens.
/// </summary>
public static class ModelTracing
{
    public const string SourceName = "Runtime";
    public const string ModelTag = "runtime.model.name";
    public const string VersionTag = "runtime.model.version";
    public const string ErrorTag = "error.type";

    private const string BatchTag = "runtime.batch.size";
    private const string ResponsesTag = "runtime.responses";

    public static ActivitySource Source { get; } = new(SourceName);

    internal static async ValueTask<InferenceResponse> InferAsync(Model model, InferenceRequest request, CancellationToken cancellation)
    {
        using var span = Start(model, request);
        var response = await model.AnswerAsync(request, cancellation).ConfigureAwait(false);
        End(span, request.Timeline, response.Error);
        return response;
    }

    internal static async IAsyncEnumerable<InferenceResponse> StreamAsync(Model model, InferenceRequest request, [EnumeratorCancellation] CancellationToken cancellation)
    {
        using var span = Start(model, request);
        InferenceError? error = null;
        try
        {
            await foreach (var response in model.AnswersAsync(request, cancellation).ConfigureAwait(false))
            {
                error = response.Error;
                yield return response;
            }
        }
        finally
        {
            End(span, request.Timeline, error);
        }
    }

    private static Activity? Start(Model model, InferenceRequest request)
    {
        var span = Source.StartActivity("infer");
        if (span is { IsAllDataRequested: true })
        {
            span.DisplayName = $"infer {model.Name}";
            span.SetTag(ModelTag, model.Name).SetTag(VersionTag, model.Version);
        }

        // A request that is not sampled still hands its caller's context on.
        if ((span ?? Activity.Current) is { } current)
        {
            (request.Timeline ??= new RequestTimeline()).Activity = current;
        }

        return span;
    }

    private static void End(Activity? span, RequestTimeline? timeline, InferenceError? error)
    {
        if (span is not { IsAllDataRequested: true } || timeline is null)
        {
            return;
        }

        if (error is not null)
        {
            span.SetStatus(ActivityStatusCode.Error, error.Message).SetTag(ErrorTag, error.Code.ToString());
        }

        span.SetTag(BatchTag, timeline.Rows).SetTag(ResponsesTag, timeline.Responses);
        var (times, utcNow, now) = (timeline.Times, DateTime.UtcNow, Stopwatch.GetTimestamp());
        Add("queue", times.Queued, times.ComputeStart);
        Add("compute", times.ComputeStart, times.ComputeEnd);

        void Add(string name, long start, long end)
        {
            if (start != 0 && end >= start && Source.StartActivity(name, ActivityKind.Internal, span.Context, startTime: At(start)) is { } part)
            {
                part.SetEndTime(At(end).UtcDateTime).Dispose();
            }
        }

        DateTimeOffset At(long timestamp) => utcNow - Stopwatch.GetElapsedTime(timestamp, now);
    }
}
