using Runtime.Host.Http;

namespace Runtime.Host.Tests.Http;

public sealed class RoutePatternsTests
{
    [Theory]
    [InlineData("/v2", "Server", "", "")]
    [InlineData("/v2?verbose=1", "Server", "", "")]
    [InlineData("/v2/health/live", "Live", "", "")]
    [InlineData("http://localhost/v2/health/live", "Live", "", "")]
    [InlineData("http://localhost:8000/v2/health/live?x=/y", "Live", "", "")]
    [InlineData("/v2/health/ready", "Ready", "", "")]
    [InlineData("/v2/models/simple", "Model", "simple", "")]
    [InlineData("/v2/models/a%2Fb", "Model", "a%2Fb", "")]
    [InlineData("/v2/models/sim%70le/ready", "ModelReady", "sim%70le", "")]
    [InlineData("/v2/models/..", "Model", "..", "")]
    [InlineData("/v2/models/versions/versions/1", "Model", "versions", "1")]
    [InlineData("/v2/models/simple/versions/01", "Model", "simple", "01")]
    [InlineData("/v2/models/simple/versions/1/ready", "ModelReady", "simple", "1")]
    [InlineData("/v2/models/simple/config", "Config", "simple", "")]
    [InlineData("/v2/models/simple/versions/2/config", "Config", "simple", "2")]
    [InlineData("/v2/models/stats", "Statistics", "", "")]
    [InlineData("/v2/models/stats/config", "Config", "stats", "")]
    [InlineData("/v2/models/simple/stats", "ModelStatistics", "simple", "")]
    [InlineData("/v2/models/simple/infer", "Infer", "simple", "")]
    [InlineData("/v2/models/simple/versions/3/infer?x=1", "Infer", "simple", "3")]
    [InlineData("/v2/models/simple/generate", "Generate", "simple", "")]
    [InlineData("/v2/models/simple/versions/3/generate_stream", "GenerateStream", "simple", "3")]
    [InlineData("/v2/models/simple/trace/setting", "ModelTrace", "simple", "")]
    [InlineData("/v2/trace/setting", "Trace", "", "")]
    [InlineData("/v2/logging", "Logging", "", "")]
    [InlineData("/v2/repository/index", "Index", "", "")]
    [InlineData("/v2/repository/models/index", "Index", "", "")]
    [InlineData("/v2/repository/models/simple/load", "Load", "simple", "")]
    [InlineData("/v2/repository/mine/models/simple/unload", "Unload", "simple", "")]
    [InlineData("/v2/systemsharedmemory/status", "SystemMemoryStatus", "", "")]
    [InlineData("/v2/systemsharedmemory/region/in0/register", "SystemMemoryRegister", "in0", "")]
    [InlineData("/v2/systemsharedmemory/unregister", "SystemMemoryUnregister", "", "")]
    [InlineData("/v2/cudasharedmemory/region/in0/status", "CudaMemoryStatus", "in0", "")]
    [InlineData("/v2/cudasharedmemory/region/in0/register", "CudaMemoryRegister", "in0", "")]
    [InlineData("/v2/cudasharedmemory/region/in0/unregister", "CudaMemoryUnregister", "in0", "")]
    public void Match_PathOfTheProtocol_GivesRouteAndNames(string target, string route, string name, string version)
    {
        var match = RoutePatterns.Match(RoutePatterns.PathOf(target));

        Assert.Equal((route, name, version), (match.Route.ToString(), match.Name.ToString(), match.Version.ToString()));
    }

    [Theory]
    [InlineData("/v2/repository/index", "")]
    [InlineData("/v2/repository/mine/index", "mine")]
    [InlineData("/v2/repository/models/models/simple/load", "models")]
    public void Match_RepositoryPath_GivesTheRepository(string target, string repository)
        => Assert.Equal(repository, RoutePatterns.Match(target).Repository.ToString());

    [Theory]
    [InlineData("")]
    [InlineData("*")]
    [InlineData("/")]
    [InlineData("/V2")]
    [InlineData("/v2/")]
    [InlineData("/v2x")]
    [InlineData("/v3")]
    [InlineData("//v2")]
    [InlineData("//v2/health/live")]
    [InlineData("/v2//health/live")]
    [InlineData("/v2/health")]
    [InlineData("/v2/health/")]
    [InlineData("/v2/health/Live")]
    [InlineData("/v2/health/live/")]
    [InlineData("/v2/health/%6Cive")]
    [InlineData("/v2/models")]
    [InlineData("/v2/models/")]
    [InlineData("/v2/models//ready")]
    [InlineData("/v2/models/stats/")]
    [InlineData("/v2/models/simple/")]
    [InlineData("/v2/models/simple/foo")]
    [InlineData("/v2/models/simple/ready/")]
    [InlineData("/v2/models/simple/versions")]
    [InlineData("/v2/models/simple/versions/")]
    [InlineData("/v2/models/simple/versions/-1")]
    [InlineData("/v2/models/simple/versions/abc")]
    [InlineData("/v2/models/simple/versions/1/")]
    [InlineData("/v2/models/simple/versions/1/trace/setting")]
    [InlineData("/v2/models/../models/simple")]
    [InlineData("/v2/trace")]
    [InlineData("/v2/logging/")]
    [InlineData("/v2/repository")]
    [InlineData("/v2/repository/")]
    [InlineData("/v2/repository//index")]
    [InlineData("/v2/repository/index/")]
    [InlineData("/v2/repository/a/b/index")]
    [InlineData("/v2/repository/models//load")]
    [InlineData("/v2/repository/models/simple")]
    [InlineData("/v2/systemsharedmemory")]
    [InlineData("/v2/systemsharedmemory/region/a")]
    [InlineData("/v2/systemsharedmemory/region//status")]
    [InlineData("/v2/systemsharedmemory/region/a/b/status")]
    [InlineData("http://localhost")]
    [InlineData("http:/v2")]
    public void Match_AnyOtherPath_GivesNone(string target) => Assert.Equal(Route.None, RoutePatterns.Match(RoutePatterns.PathOf(target)).Route);

    [Fact]
    public void Methods_OfEveryRoute_AreTheOnesItTakes()
    {
        foreach (var route in Enum.GetValues<Route>())
        {
            var taken = new[] { "GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH" }.Where(method => route.Takes(method));
            Assert.Equal(route.Methods(), string.Join(", ", taken));
        }
    }
}
