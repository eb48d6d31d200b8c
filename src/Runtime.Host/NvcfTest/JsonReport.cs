using System.Text.Json;

namespace Runtime.Host.NvcfTest;

/// <summary>A report for scripts.</summary>
internal static class JsonReport
{
    public static void Write(Stream output, TestReport report)
    {
        using var json = new Utf8JsonWriter(output, new JsonWriterOptions { Indented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        json.WriteStartObject();
        json.WriteBoolean("passed", report.IsGood);
        json.WriteStartArray("checks");
        foreach (var (check, finding, duration) in report.Results)
        {
            json.WriteStartObject();
            json.WriteString("name", check.Name);
            json.WriteString("level", check.Level == Level.Required ? "required" : "recommended");
            json.WriteString("outcome", Word(finding.Outcome));
            json.WriteString("requirement", check.Requirement);
            json.WriteString("detail", finding.Detail);
            json.WriteNumber("seconds", Math.Round(duration.TotalSeconds, 3));
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
        json.Flush();
        output.WriteByte((byte)'\n');
    }

    public static string Word(Outcome outcome) => outcome switch
    {
        Outcome.Passed => "passed",
        Outcome.Failed => "failed",
        Outcome.NotApplicable => "not applicable",
        _ => "not run",
    };
}
