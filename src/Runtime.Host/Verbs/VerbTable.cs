using Runtime.Host.NvcfTest;

namespace Runtime.Host.Verbs;

/// <summary>Something that the process does instead of serving, when it is its first argument.</summary>
/// <param name="Name">The argument.</param>
/// <param name="Usage">What follows it, as the help shows it.</param>
/// <param name="Help">What it does, in a sentence.</param>
/// <param name="RunAsync">Does it with the arguments that follow; the result is the process's exit code.</param>
internal sealed record Verb(string Name, string Usage, string Help, Func<IReadOnlyList<string>, Task<int>> RunAsync);

/// <summary>Every verb but serving, once: the process and its help read this table.</summary>
internal static class VerbTable
{
    public static readonly IReadOnlyList<Verb> All =
    [
        new("health", "[options]", "Exit with 0 if the host that runs with these options is ready; without any: with those of this container's process 1.", HealthCheck.RunAsync),
        new("new", "function NAME [--directory DIR]", "Write a C# function that can be served as it is, into models or the given directory.", NewFunction.RunAsync),
        new("validate", "DIR [settings]", "Load every model of a repository, run its examples once, and say what is wrong; exit code 1 if anything is.", Validate.RunAsync),
        new("nvcf-test", NvcfTestVerb.Usage, "Play NVIDIA Cloud Functions' part against a running function and say which of its requirements it meets; exit code 1 if not all.", NvcfTestVerb.RunAsync),
    ];

    public static Verb? Find(string[] args) => args.Length == 0 ? null : All.FirstOrDefault(verb => verb.Name == args[0]);
}
