using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Runtime.Host.Settings;

namespace Runtime.Host.Logging;

/// <summary>A line in the format that the settings ask for when it is written; made on the thread that writes it.</summary>
internal sealed class LogText(LogSettings settings, LogEvent line)
{
    private static readonly JsonWriterOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes the line with its line feed.</summary>
    public void WriteTo(IBufferWriter<byte> output)
    {
        if (settings.Format == "json")
        {
            WriteObject(output);
            return;
        }

        Encoding.UTF8.GetBytes(settings.TagsInference ? Tagged() : LogLine.Format(settings.Format, line.Level, line.Category, line.Time, Message()), output);
    }

    /// <summary>As <c>%(asctime)s [%(levelname)s] [INFERENCE] %(message)s</c> of Python's logging.</summary>
    private string Tagged()
    {
        var level = line.Level switch
        {
            LogLevel.Critical => "CRITICAL",
            LogLevel.Error => "ERROR",
            LogLevel.Warning => "WARNING",
            LogLevel.Information => "INFO",
            _ => "DEBUG",
        };
        return string.Create(CultureInfo.InvariantCulture, $"{line.Time.LocalDateTime:yyyy-MM-dd HH:mm:ss,fff} [{level}] [INFERENCE] {Message()}\n");
    }

    private string Message()
    {
        if (line.Request is { } request)
        {
            var text = new StringBuilder(256);
            foreach (var (name, value) in request)
            {
                text.Append(text.Length == 0 ? "" : " ").Append(name).Append('=').Append(Plain(value));
            }

            return text.ToString();
        }

        return line.Exception is null ? line.Message : $"{line.Message}\n{line.Exception}";
    }

    /// <summary>As it is where that is one word, else as a JSON string.</summary>
    private static string Plain(object? value)
    {
        var text = Convert.ToString(value, CultureInfo.InvariantCulture) ?? "";
        var isWord = text.Length > 0 && !text.AsSpan().ContainsAnyExceptInRange('!', '~') && !text.AsSpan().ContainsAny('"', '=', '\\');
        return value is bool flag ? (flag ? "true" : "false") : isWord || value is not string ? text : '"' + JavaScriptEncoder.UnsafeRelaxedJsonEscaping.Encode(text) + '"';
    }

    private void WriteObject(IBufferWriter<byte> output)
    {
        using (var json = new Utf8JsonWriter(output, Json))
        {
            json.WriteStartObject();
            json.WriteString("time", line.Time.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.ffffffZ", CultureInfo.InvariantCulture));
            json.WriteString("level", Level());
            if (settings.TagsInference)
            {
                json.WriteString("tag", "INFERENCE");
            }

            json.WriteString("category", line.Category);
            WriteContent(json);
            json.WriteEndObject();
        }

        output.Write("\n"u8);
    }

    private string Level() => line.Level switch
    {
        LogLevel.Critical => "critical",
        LogLevel.Error => "error",
        LogLevel.Warning => "warning",
        LogLevel.Information => "info",
        _ => "debug",
    };

    private void WriteContent(Utf8JsonWriter json)
    {
        if (line.Request is { } request)
        {
            foreach (var (name, value) in request)
            {
                Write(json, name, value);
            }

            return;
        }

        json.WriteString("message", line.Message);
        if (line.Exception is not null)
        {
            json.WriteString("exception", line.Exception);
        }

        if (line.Trace != default)
        {
            json.WriteString("trace_id", line.Trace.TraceId.ToHexString());
            json.WriteString("span_id", line.Trace.SpanId.ToHexString());
        }
    }

    private static void Write(Utf8JsonWriter json, string name, object? value)
    {
        switch (value)
        {
            case bool flag:
                json.WriteBoolean(name, flag);
                break;
            case int number:
                json.WriteNumber(name, number);
                break;
            case long number:
                json.WriteNumber(name, number);
                break;
            default:
                json.WriteString(name, Convert.ToString(value, CultureInfo.InvariantCulture));
                break;
        }
    }
}
