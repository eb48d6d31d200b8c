using BenchmarkDotNet.Attributes;
using Microsoft.AspNetCore.Http;
using Runtime.Host.Nvcf;
using HostOptions = Runtime.Host.Options.HostOptions;

namespace Runtime.Benchmarks;

/// <summary>What the platform's headers cost a request: one without them, and one with all of them.</summary>
[MemoryDiagnoser]
public class NvcfContextBenchmarks
{
    private readonly NvcfConventions _conventions = new(new HostOptions { Nvcf = "true" });
    private readonly HeaderDictionary _plain = new() { ["Host"] = "localhost", ["Content-Type"] = "application/json", ["Content-Length"] = "100", ["Accept"] = "*/*" };
    private readonly HeaderDictionary _all = [];

    public NvcfContextBenchmarks()
    {
        foreach (var name in NvcfHeaders.Names)
        {
            _all[name] = "/value";
        }
    }

    [Benchmark(Baseline = true)]
    public bool Without() => _conventions.TryBegin(_plain) is null;

    [Benchmark]
    public string With() => _conventions.TryBegin(_all)!.Context.RequestId;
}
