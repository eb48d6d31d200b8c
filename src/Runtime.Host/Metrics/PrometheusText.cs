using System.Buffers;
using System.Globalization;
using System.Text;
using Runtime.Models;

namespace Runtime.Host.Metrics;

/// <summary>Writes the Prometheus text format, version 0.0.4, straight into a buffer.</summary>
internal readonly struct PrometheusText(IBufferWriter<byte> output)
{
    private const int NumberLength = 32;

    /// <summary>The lines that begin a metric.</summary>
    public void Begin(ReadOnlySpan<byte> name, ReadOnlySpan<byte> type, ReadOnlySpan<byte> help)
    {
        Write("# HELP "u8);
        Write(name);
        Write(" "u8);
        Write(help);
        Write("\n# TYPE "u8);
        Write(name);
        Write(" "u8);
        Write(type);
        Write("\n"u8);
    }

    /// <summary>One sample of a version of a model; the reason is a label too unless empty.</summary>
    public void Sample(ReadOnlySpan<byte> name, string model, long version, ReadOnlySpan<byte> reason, long value)
    {
        Labels(name, model, version, reason);
        Write(value);
        Write("\n"u8);
    }

    /// <summary>One sample of a version of a model, with a fraction.</summary>
    public void Sample(ReadOnlySpan<byte> name, string model, long version, double value)
    {
        Labels(name, model, version, default);
        Write(value);
        Write("\n"u8);
    }

    /// <summary>A histogram of a version of a model.</summary>
    public void Histogram(ReadOnlySpan<byte> name, string model, long version, BucketSnapshot buckets)
    {
        for (var i = 0; i < buckets.Counts.Count; i++)
        {
            Open(name, "_bucket"u8, model, version);
            Write(",le=\""u8);
            if (i < buckets.Bounds.Count)
            {
                Write(buckets.Bounds[i]);
            }
            else
            {
                Write("+Inf"u8);
            }

            Write("\""u8);
            Close(buckets.Counts[i]);
        }

        Open(name, "_sum"u8, model, version);
        Close(buckets.Sum);
        Open(name, "_count"u8, model, version);
        Close(buckets.Counts[^1]);
    }

    /// <summary>A summary of a version of a model, in microseconds.</summary>
    public void Summary(ReadOnlySpan<byte> name, string model, long version, SummarySnapshot summary, IReadOnlyList<double> ranks)
    {
        Open(name, "_count"u8, model, version);
        Close(summary.Total.Count);
        Open(name, "_sum"u8, model, version);
        Close(summary.Total.Nanoseconds / 1000);
        for (var i = 0; i < ranks.Count; i++)
        {
            Open(name, default, model, version);
            Write(",quantile=\""u8);
            Write(ranks[i]);
            Write("\""u8);
            Close(summary.Quantiles[i] / 1000);
        }
    }

    private void Open(ReadOnlySpan<byte> name, ReadOnlySpan<byte> suffix, string model, long version)
    {
        Write(name);
        Write(suffix);
        Write("{model=\""u8);
        WriteLabel(model);
        Write("\",version=\""u8);
        Write(version);
        Write("\""u8);
    }

    private void Close(double value)
    {
        Write("} "u8);
        Write(value);
        Write("\n"u8);
    }

    private void Labels(ReadOnlySpan<byte> name, string model, long version, ReadOnlySpan<byte> reason)
    {
        Write(name);
        Write("{model=\""u8);
        WriteLabel(model);
        if (!reason.IsEmpty)
        {
            Write("\",reason=\""u8);
            Write(reason);
        }

        Write("\",version=\""u8);
        Write(version);
        Write("\"} "u8);
    }

    /// <summary>One sample without labels.</summary>
    public void Sample(ReadOnlySpan<byte> name, double value)
    {
        Write(name);
        Write(" "u8);
        Write(value);
        Write("\n"u8);
    }

    /// <summary>One sample with a reason for its only label.</summary>
    public void Sample(ReadOnlySpan<byte> name, ReadOnlySpan<byte> reason, long value)
    {
        Write(name);
        Write("{reason=\""u8);
        Write(reason);
        Write("\"} "u8);
        Write(value);
        Write("\n"u8);
    }

    /// <summary>One sample with one label.</summary>
    public void Sample(ReadOnlySpan<byte> name, ReadOnlySpan<byte> label, string labelValue, double value)
    {
        Write(name);
        Write("{"u8);
        Write(label);
        Write("=\""u8);
        WriteLabel(labelValue);
        Write("\"} "u8);
        Write(value);
        Write("\n"u8);
    }

    private void Write(double number)
    {
        var span = output.GetSpan(NumberLength);
        number.TryFormat(span, out var written, default, CultureInfo.InvariantCulture);
        output.Advance(written);
    }

    private void Write(ReadOnlySpan<byte> text)
    {
        // Kestrel's writer may have nothing left to give to those that do not say how much they want.
        text.CopyTo(output.GetSpan(text.Length));
        output.Advance(text.Length);
    }

    private void Write(long number)
    {
        var span = output.GetSpan(NumberLength);
        number.TryFormat(span, out var written, default, CultureInfo.InvariantCulture);
        output.Advance(written);
    }

    private void WriteLabel(ReadOnlySpan<char> value)
    {
        while (true)
        {
            var special = value.IndexOfAny('\\', '"', '\n');
            Encoding.UTF8.GetBytes(special < 0 ? value : value[..special], output);
            if (special < 0)
            {
                return;
            }

            Write(value[special] switch
            {
                '\n' => "\\n"u8,
                '"' => "\\\""u8,
                _ => "\\\\"u8,
            });
            value = value[(special + 1)..];
        }
    }
}
