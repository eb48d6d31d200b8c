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
}
