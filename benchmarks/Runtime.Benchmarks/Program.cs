using System.Reflection;
using BenchmarkDotNet.Running;
using Runtime.Benchmarks;

if (args is ["queue"])
{
    await QueueLoad.RunAsync();
    return;
}

BenchmarkSwitcher.FromAssembly(Assembly.GetExecutingAssembly()).Run(args);
