using System.Globalization;
using System.Text;

namespace Runtime.Host.Logging;

/// <summary>One line in the log's two formats, with the category's last name where Triton puts the source file.</summary>
internal static class LogLine
{
    public static string Format(string format, LogLevel level, string category, DateTimeOffset time, string message)
    {
        var utc = time.UtcDateTime;
        var text = new StringBuilder(64 + message.Length);
        if (format == "ISO8601")
        {
            text.Append(CultureInfo.InvariantCulture, $"{utc:yyyy-MM-ddTHH:mm:ssZ} {Letter(level)} {Environment.ProcessId} ");
        }
        else
        {
            text.Append(CultureInfo.InvariantCulture, $"{Letter(level)}{utc:MMdd HH:mm:ss.ffffff} {Environment.ProcessId} ");
        }

        return text.Append(category).Append("] ").Append(message).Append('\n').ToString();
    }

    private static char Letter(LogLevel level) => level switch
    {
        LogLevel.Critical or LogLevel.Error => 'E',
        LogLevel.Warning => 'W',
        LogLevel.Information => 'I',
        _ => 'V',
    };
}
