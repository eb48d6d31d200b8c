using Runtime.Host.Lifecycle;

namespace Runtime.Host.Metrics;

/// <summary>What is in the process at once, and what it did not let in; a model's own refusals are among its failures.</summary>
internal static class AdmissionMetrics
{
    private static readonly Refusal[] Reasons = Enum.GetValues<Refusal>();

    public static void Write(PrometheusText text, Admission? admission)
    {
        if (admission is null)
        {
            return;
        }

        text.Begin("runtime_requests_refused_total"u8, "counter"u8, "Inference requests that the process refused at its door, whatever their model"u8);
        foreach (var reason in Reasons)
        {
            text.Sample("runtime_requests_refused_total"u8, Label(reason), admission.Refused(reason));
        }

        text.Begin("runtime_requests_in_flight"u8, "gauge"u8, "Inference requests in the process"u8);
        text.Sample("runtime_requests_in_flight"u8, admission.RequestsInFlight);
        text.Begin("runtime_body_bytes_in_flight"u8, "gauge"u8, "Bytes of the bodies of the inference requests in the process"u8);
        text.Sample("runtime_body_bytes_in_flight"u8, admission.BytesInFlight);
    }

    private static ReadOnlySpan<byte> Label(Refusal reason) => reason switch
    {
        Refusal.Requests => "REQUESTS"u8,
        Refusal.Bytes => "BYTES"u8,
        _ => "DRAINING"u8,
    };
}
