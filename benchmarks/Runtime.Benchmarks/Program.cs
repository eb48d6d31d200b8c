using System.Reflection;
using BenchmarkDotNet.Running;
using Runtime.Benchmarks;
using Runtime.Benchmarks.Batching;
using Runtime.Benchmarks.Load;

switch (args)
{
    case ["load-grpc" or "load-http", ..]:
        return await LoadCommand.RunAsync(args);
    case ["load-stream", ..]:
        return await StreamCommand.RunAsync(args);
    case ["load-overload", _, _, ..]:
        return await OverloadCommand.RunAsync(args);
    case ["load-idle", _, ..]:
        return await IdleCommand.RunAsync(args);
    case ["batching", var repository]:
        return await BatchingComparison.RunAsync(repository);
    case ["served", var repository, _, ..]:
        return await ServedComparison.RunAsync(repository, args[2..]);
    case ["queue"]:
        await QueueLoad.RunAsync();
        return 0;
    case ["progress"]:
        await ProgressLoad.RunAsync();
        return 0;
    default:
        BenchmarkSwitcher.FromAssembly(Assembly.GetExecutingAssembly()).Run(args);
        return 0;
}
