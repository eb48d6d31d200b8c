using Runtime.Host.Grpc;
using Runtime.Host.Http;
using Runtime.Inference;

namespace Runtime.Host.Tests.Http;

public sealed class HttpErrorsTests
{
    [Theory]
    [InlineData(ErrorCode.Unknown, 400, (int)GrpcStatusCode.Unknown)]
    [InlineData(ErrorCode.Internal, 500, (int)GrpcStatusCode.Internal)]
    [InlineData(ErrorCode.NotFound, 404, (int)GrpcStatusCode.NotFound)]
    [InlineData(ErrorCode.InvalidArgument, 400, (int)GrpcStatusCode.InvalidArgument)]
    [InlineData(ErrorCode.Unavailable, 503, (int)GrpcStatusCode.Unavailable)]
    [InlineData(ErrorCode.Unsupported, 501, (int)GrpcStatusCode.Unimplemented)]
    [InlineData(ErrorCode.AlreadyExists, 400, (int)GrpcStatusCode.AlreadyExists)]
    [InlineData(ErrorCode.Cancelled, 400, (int)GrpcStatusCode.Cancelled)]
    [InlineData(ErrorCode.ResourceExhausted, 429, (int)GrpcStatusCode.ResourceExhausted)]
    [InlineData(ErrorCode.DeadlineExceeded, 504, (int)GrpcStatusCode.DeadlineExceeded)]
    public void Code_AtEachDoor_IsItsOwn(ErrorCode code, int status, int grpc)
    {
        Assert.Equal(status, HttpErrors.Status(code));
        Assert.Equal((GrpcStatusCode)grpc, GrpcErrors.Code(code));
    }

    [Theory]
    [InlineData(ErrorCode.ResourceExhausted, "1")]
    [InlineData(ErrorCode.Unavailable, "")]
    public async Task Write_Error_SaysWhenToRetryWhereALimitWasReached(ErrorCode code, string expected)
    {
        var answer = await HttpExchange.SendAsync(context => HttpErrors.WriteAsync(context, new InferenceError(code, "no")), []);

        Assert.Equal(expected, answer.Headers.RetryAfter.ToString());
    }

    [Fact]
    public void Body_WithoutDetails_IsTheMessageAlone() => Assert.Equal("""{"error":"it's no"}"""u8, HttpErrors.Body(InferenceError.InvalidArgument("it's no")));

    [Fact]
    public async Task Write_Details_FollowTheMessage()
    {
        var error = InferenceError.InvalidArgument("two faults") with { Details = [new("a", "missing", "a is missing"), new("b", "null", "b is \"null\"")] };

        var answer = await HttpExchange.SendAsync(context => HttpErrors.WriteAsync(context, error), []);

        Assert.Equal(400, answer.Status);
        Assert.Equal(
            """{"error":"two faults","details":[{"input":"a","code":"missing","message":"a is missing"},{"input":"b","code":"null","message":"b is \"null\""}]}""",
            answer.Text);
    }
}
