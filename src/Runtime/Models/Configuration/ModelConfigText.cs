using System.Text;

namespace Runtime.Models.Configuration;

/// <summary>Reads a model's configuration in the protobuf text format (<c>config.pbtxt</c>).</summary>
public static class ModelConfigText
{
    /// <summary>Begins to make what the first reading needs, the types of all messages, beside whatever else a start does.</summary>
    public static void BeginPreload() => ThreadPool.UnsafeQueueUserWorkItem(static _ => Parse("", ""), null);

    /// <summary>Reads a file.</summary>
    /// <exception cref="ModelConfigException">The file cannot be read or is no configuration; the message begins with file, line and column.</exception>
    public static Protocol.ModelConfig Read(string path)
    {
        var fileName = Path.GetFileName(path);
        try
        {
            return Parse(TextStrings.Utf8.GetString(File.ReadAllBytes(path)), fileName);
        }
        catch (DecoderFallbackException)
        {
            throw new ModelConfigException($"{fileName}: the file is not UTF-8 text");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new ModelConfigException($"{fileName}: cannot be read: {exception.Message}");
        }
    }

    /// <summary>Reads a text; <paramref name="fileName"/> is what messages call it.</summary>
    /// <exception cref="ModelConfigException">The text is no configuration; the message begins with file, line and column.</exception>
    public static Protocol.ModelConfig Parse(string text, string fileName)
    {
        var target = new FieldTarget(ConfigSchema.ModelConfig);
        new TextFormatReader(new TextScanner(text, fileName)).ReadAll(target);
        return Protocol.ModelConfig.Parser.ParseFrom(target.ToBytes());
    }
}
