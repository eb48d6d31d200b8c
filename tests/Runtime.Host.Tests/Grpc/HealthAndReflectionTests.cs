using Google.Protobuf;
using Google.Protobuf.Reflection;
using Runtime.Host.Grpc;
using Runtime.Protocol.Health;
using Runtime.Protocol.Reflection.V1;
using Serving = Runtime.Protocol.Health.HealthCheckResponse.Types.ServingStatus;

namespace Runtime.Host.Tests.Grpc;

public sealed class HealthAndReflectionTests
{
    private const string Check = "/grpc.health.v1.Health/Check";
    private const string Watch = "/grpc.health.v1.Health/Watch";

    [Fact]
    public async Task Check_KnownServices_TellReadiness()
    {
        await using var host = await GrpcHost.StartAsync();
        foreach (var service in (string[])["", "inference.GRPCInferenceService"])
        {
            Assert.Equal(Serving.Serving, (await host.Client.CallAsync(Check, new HealthCheckRequest { Service = service })).Read(HealthCheckResponse.Parser).Status);
        }

        (await host.Client.CallAsync(Check, new HealthCheckRequest { Service = "foo" })).AssertFails(GrpcStatusCode.NotFound, "'foo'");
        host.State.BeginDraining();
        Assert.Equal(Serving.NotServing, (await host.Client.CallAsync(Check, new HealthCheckRequest())).Read(HealthCheckResponse.Parser).Status);
    }

    [Theory]
    [InlineData("", true)]
    [InlineData("foo", false)]
    public async Task Watch_UntilDraining_SendsChangesAndEnds(string service, bool isKnown)
    {
        await using var host = await GrpcHost.StartAsync();
        using var response = await host.Client.SendAsync(Watch, new ByteArrayContent(Frames.Of(new HealthCheckRequest { Service = service }.ToByteArray())), default);
        await using var stream = await response.Content.ReadAsStreamAsync();

        Assert.Equal(isKnown ? Serving.Serving : Serving.ServiceUnknown, await ReadAsync(stream));
        host.State.BeginDraining();
        if (isKnown)
        {
            Assert.Equal(Serving.NotServing, await ReadAsync(stream));
        }

        Assert.Equal(0, await stream.ReadAsync(new byte[1]));
        Assert.Equal(GrpcStatusCode.Ok, GrpcClient.Status(response));
    }

    [Theory]
    [InlineData("v1")]
    [InlineData("v1alpha")]
    public async Task Reflection_ListServices_NamesAll(string version)
    {
        var answers = await ReflectAsync(version, new ServerReflectionRequest { ListServices = "" });
        Assert.Equal(
            ["grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection", "inference.GRPCInferenceService"],
            answers[0].ListServicesResponse.Service.Select(service => service.Name).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Reflection_Symbols_GiveTheirFileAndItsImports()
    {
        string[] symbols =
        [
            "inference.GRPCInferenceService", "inference.GRPCInferenceService.ModelInfer", "inference.ModelInferRequest", "inference.ModelInferRequest.InferInputTensor",
        ];
        var answers = await ReflectAsync("v1", [.. symbols.Select(symbol => new ServerReflectionRequest { FileContainingSymbol = symbol })]);
        Assert.Equal(symbols.Length, answers.Count);
        Assert.All(answers, answer =>
        {
            var files = answer.FileDescriptorResponse.FileDescriptorProto.Select(FileDescriptorProto.Parser.ParseFrom).Select(file => file.Name);
            Assert.Equal(["grpc_service.proto", "model_config.proto"], files);
        });
    }

    [Fact]
    public async Task Reflection_IdleStreamWhenDrainingBegins_Ends()
    {
        await using var host = await GrpcHost.StartAsync();
        using var body = new OpenBody(Frames.Of(new ServerReflectionRequest { ListServices = "" }.ToByteArray()));
        using var response = await host.Client.SendAsync("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", body, default);

        host.State.BeginDraining();

        await response.Content.ReadAsByteArrayAsync();
        Assert.Equal(GrpcStatusCode.Unavailable, GrpcClient.Status(response));
        body.End();
    }

    [Fact]
    public async Task Reflection_WhatIsNotThere_IsAnErrorInsideTheStream()
    {
        var answers = await ReflectAsync(
            "v1", new ServerReflectionRequest { FileContainingSymbol = "a.B" }, new ServerReflectionRequest { FileByFilename = "a.proto" },
            new ServerReflectionRequest { AllExtensionNumbersOfType = "a.B" }, new ServerReflectionRequest { AllExtensionNumbersOfType = "inference.ModelInferRequest" });
        Assert.All(answers.Take(3), answer => Assert.Equal((int)GrpcStatusCode.NotFound, answer.ErrorResponse.ErrorCode));
        Assert.Empty(answers[3].AllExtensionNumbersResponse.ExtensionNumber);
    }

    private static async Task<List<ServerReflectionResponse>> ReflectAsync(string version, params ServerReflectionRequest[] requests)
    {
        await using var host = await GrpcHost.StartAsync();
        var body = requests.SelectMany(request => Frames.Of(request.ToByteArray())).ToArray();
        var answer = await host.Client.CallAsync($"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo", body);
        Assert.Equal(GrpcStatusCode.Ok, answer.Status);
        return [.. answer.Messages.Select(ServerReflectionResponse.Parser.ParseFrom)];
    }

    private static async Task<Serving> ReadAsync(Stream stream)
    {
        var header = new byte[5];
        await stream.ReadExactlyAsync(header);
        var message = new byte[header[4]];
        await stream.ReadExactlyAsync(message);
        return HealthCheckResponse.Parser.ParseFrom(message).Status;
    }
}
