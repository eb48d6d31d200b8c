using System.Reflection.PortableExecutable;
using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Emit;
using Microsoft.CodeAnalysis.Text;
using Runtime.Inference;

namespace Runtime.Functions.Compiler;

/// <summary>Compiles a function's sources with the usings that an SDK project has, and those of functions.</summary>
internal static class SourceCompiler
{
    private const int MostErrors = 20;

    private const string Usings = """
        global using System;
        global using System.Collections.Generic;
        global using System.IO;
        global using System.Linq;
        global using System.Net.Http;
        global using System.Threading;
        global using System.Threading.Tasks;
        global using Microsoft.Extensions.Logging;
        global using Runtime.Functions;
        global using DataType = Runtime.Tensors.DataType;
        global using ErrorCode = Runtime.Inference.ErrorCode;
        """;

    private static readonly CSharpParseOptions Parsing = new(LanguageVersion.Latest);

    private static readonly CSharpCompilationOptions Options = new(
        OutputKind.DynamicallyLinkedLibrary,
        optimizationLevel: OptimizationLevel.Release,
        allowUnsafe: true,
        nullableContextOptions: NullableContextOptions.Enable,
        warningLevel: 0,
        deterministic: true);

    private static readonly Lazy<MetadataReference[]> Shared = new(static () => [.. HostAssemblies.References.Select(Reference)]);

    /// <summary>The assembly, with its debugging information inside so that exceptions in the log name lines.</summary>
    /// <exception cref="InferenceException">The sources are wrong; the message has file, line and column of each fault.</exception>
    public static byte[] Compile(FunctionSources sources)
    {
        SyntaxTree[] trees =
        [
            CSharpSyntaxTree.ParseText(Usings, Parsing),
            .. sources.Files.Select(static file => CSharpSyntaxTree.ParseText(SourceText.From(file.Content, file.Content.Length, Encoding.UTF8, canBeEmbedded: true), Parsing, file.Name)),
        ];
        var references = Shared.Value.Concat(sources.Assemblies.Select(file => MetadataReference.CreateFromImage(file.Content)));
        var compilation = CSharpCompilation.Create("function_" + sources.Model, trees, references, Options);
        using var image = new MemoryStream();
        var result = compilation.Emit(image, options: new EmitOptions(debugInformationFormat: DebugInformationFormat.Embedded));
        return result.Success ? image.ToArray() : throw Refuse(sources.Model, [.. result.Diagnostics.Where(fault => fault.Severity == DiagnosticSeverity.Error)]);
    }

    // Only the metadata is read: the framework's assemblies are large, mostly with code that no compiler wants to see.
    private static MetadataReference Reference(string path)
        => AssemblyMetadata.Create(ModuleMetadata.CreateFromStream(File.OpenRead(path), PEStreamOptions.PrefetchMetadata)).GetReference(filePath: path);

    private static InferenceException Refuse(string model, Diagnostic[] errors)
    {
        var shown = errors.OrderBy(error => error.Location.SourceTree?.FilePath, StringComparer.Ordinal).ThenBy(error => error.Location.SourceSpan.Start).Take(MostErrors).Select(Text);
        var rest = errors.Length > MostErrors ? $"; and {errors.Length - MostErrors} more" : "";
        return new InferenceException(ErrorCode.InvalidArgument, $"function '{model}' does not compile: {string.Join("; ", shown)}{rest}");
    }

    private static string Text(Diagnostic error)
    {
        var place = error.Location.GetMappedLineSpan();
        var message = $"error {error.Id}: {error.GetMessage(System.Globalization.CultureInfo.InvariantCulture)}";
        return error.Location.IsInSource ? $"{place.Path}({place.StartLinePosition.Line + 1},{place.StartLinePosition.Character + 1}): {message}" : message;
    }
}
