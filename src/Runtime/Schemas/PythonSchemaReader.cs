using Runtime.Models.Configuration;

namespace Runtime.Schemas;

/// <summary>Reads <c>input_schema.py</c> as Python's literals. No code is executed, and code that would matter is refused with its place.</summary>
public static class PythonSchemaReader
{
    /// <summary>Reads a file's bytes; <paramref name="fileName"/> is what messages call it.</summary>
    /// <exception cref="ModelConfigException">It is no schema; the message begins with file, line and column.</exception>
    public static InputSchema Read(ReadOnlySpan<byte> bytes, string fileName)
    {
        var file = new SchemaFile(fileName);
        new PythonStatements(new PythonScanner(SchemaFile.Decode(bytes, fileName), fileName), file).ReadAll();
        return SchemaBuilder.Build(file);
    }
}
