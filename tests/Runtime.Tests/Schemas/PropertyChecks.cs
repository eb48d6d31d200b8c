using FsCheck;
using FsCheck.Fluent;
using Microsoft.FSharp.Core;

namespace Runtime.Tests.Schemas;

/// <summary>Runs properties on the same random cases every time; a failure prints the case and its seed.</summary>
internal static class PropertyChecks
{
    private const int Cases = 300;

    /// <summary>Checks that the action throws for no generated value.</summary>
    public static void ForAll<T>(Gen<T> values, Action<T> check)
    {
        var config = Config.QuickThrowOnFailure.WithMaxTest(Cases).WithReplay(FSharpOption<Replay>.Some(new Replay(new Rnd(20260), null)));
        Check.One(config, Prop.ForAll(values.ToArbitrary(), check));
    }
}
