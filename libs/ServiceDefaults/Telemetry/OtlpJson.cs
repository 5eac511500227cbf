using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text.Json;
using Microsoft.Extensions.Configuration;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;

namespace OpenWop.Micro.ServiceDefaults.Telemetry;

/// <summary>
/// OTLP over HTTP with JSON bodies (<c>OTEL_EXPORTER_OTLP_PROTOCOL=http/json</c>), which the SDK's own exporter does not speak: the JSON
/// form of the collector's requests, ids as hex, 64 bit integers as text.
/// </summary>
internal static class OtlpJson
{
    public const string Protocol = "http/json";

    private static readonly HttpClient Http = new(new SocketsHttpHandler { ActivityHeadersPropagator = null, PooledConnectionLifetime = TimeSpan.FromMinutes(5) }) { Timeout = TimeSpan.FromSeconds(10) };

    /// <summary>Address of a signal: its own setting, else the common one with the signal's path.</summary>
    public static Uri AddressOf(IConfiguration configuration, string signal)
    {
        var own = configuration[$"OTEL_EXPORTER_OTLP_{signal.ToUpperInvariant()}_ENDPOINT"];
        return string.IsNullOrWhiteSpace(own) ? new Uri($"{configuration["OTEL_EXPORTER_OTLP_ENDPOINT"]!.TrimEnd('/')}/v1/{signal}") : new Uri(own);
    }

    /// <summary>Headers of requests: <c>OTEL_EXPORTER_OTLP_HEADERS</c>, <c>name=value</c> with commas between.</summary>
    public static IReadOnlyList<KeyValuePair<string, string>> HeadersOf(IConfiguration configuration) =>
    [
        .. (configuration["OTEL_EXPORTER_OTLP_HEADERS"] ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Select(static header => header.Split('=', 2))
            .Where(static header => header.Length == 2)
            .Select(static header => KeyValuePair.Create(header[0].Trim(), Uri.UnescapeDataString(header[1].Trim()))),
    ];

    /// <summary>Sends a document; false = it did not arrive.</summary>
    public static bool Send(Uri address, IReadOnlyList<KeyValuePair<string, string>> headers, Action<Utf8JsonWriter> write)
    {
        // Whatever is sent here must not make spans of its own.
        using var quiet = SuppressInstrumentationScope.Begin();
        var body = new ArrayBufferWriter<byte>(4096);
        using (var json = new Utf8JsonWriter(body))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }

        using var request = new HttpRequestMessage(HttpMethod.Post, address) { Content = new ReadOnlyMemoryContent(body.WrittenMemory) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        foreach (var (name, value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);

        try
        {
            using var response = Http.Send(request);
            return response.IsSuccessStatusCode;
        }
        catch (Exception exception) when (exception is HttpRequestException or OperationCanceledException)
        {
            return false;
        }
    }

    public static void WriteResource(Utf8JsonWriter json, Resource resource)
    {
        json.WriteStartObject("resource");
        WriteAttributes(json, resource.Attributes!);
        json.WriteEndObject();
    }

    public static void WriteAttributes(Utf8JsonWriter json, IEnumerable<KeyValuePair<string, object?>> attributes)
    {
        json.WriteStartArray("attributes");
        foreach (var (key, value) in attributes)
        {
            if (value is null)
                continue;

            json.WriteStartObject();
            json.WriteString("key", key);
            json.WritePropertyName("value");
            WriteValue(json, value);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    /// <summary>Nanoseconds since 1970 as text.</summary>
    public static string Nanoseconds(DateTime time) => ((time.ToUniversalTime() - DateTime.UnixEpoch).Ticks * 100).ToString(CultureInfo.InvariantCulture);

    private static void WriteValue(Utf8JsonWriter json, object value)
    {
        json.WriteStartObject();
        switch (value)
        {
            case bool flag:
                json.WriteBoolean("boolValue", flag);
                break;
            case int or long or short or byte or uint or ushort:
                json.WriteString("intValue", Convert.ToString(value, CultureInfo.InvariantCulture));
                break;
            case double or float:
                json.WriteNumber("doubleValue", Convert.ToDouble(value, CultureInfo.InvariantCulture));
                break;
            case string[] texts:
                json.WriteStartObject("arrayValue");
                json.WriteStartArray("values");
                foreach (var text in texts)
                    WriteValue(json, text);
                json.WriteEndArray();
                json.WriteEndObject();
                break;
            default:
                json.WriteString("stringValue", Convert.ToString(value, CultureInfo.InvariantCulture));
                break;
        }

        json.WriteEndObject();
    }
}

/// <summary>Spans as OTLP JSON.</summary>
internal sealed class OtlpJsonSpanExporter(Uri address, IReadOnlyList<KeyValuePair<string, string>> headers) : BaseExporter<Activity>
{
    public override ExportResult Export(in Batch<Activity> batch)
    {
        var spans = new List<Activity>();
        foreach (var activity in batch)
            spans.Add(activity);

        return OtlpJson.Send(address, headers, json =>
        {
            json.WriteStartArray("resourceSpans");
            json.WriteStartObject();
            OtlpJson.WriteResource(json, ParentProvider.GetResource());
            json.WriteStartArray("scopeSpans");
            foreach (var scope in spans.GroupBy(static span => span.Source.Name))
            {
                json.WriteStartObject();
                json.WriteStartObject("scope");
                json.WriteString("name", scope.Key);
                json.WriteEndObject();
                json.WriteStartArray("spans");
                foreach (var span in scope)
                    Write(json, span);
                json.WriteEndArray();
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
            json.WriteEndArray();
        }) ? ExportResult.Success : ExportResult.Failure;
    }

    private static void Write(Utf8JsonWriter json, Activity span)
    {
        json.WriteStartObject();
        json.WriteString("traceId", span.TraceId.ToHexString());
        json.WriteString("spanId", span.SpanId.ToHexString());
        if (span.ParentSpanId != default)
            json.WriteString("parentSpanId", span.ParentSpanId.ToHexString());
        json.WriteString("name", span.DisplayName);
        json.WriteNumber("kind", (int)span.Kind + 1);
        json.WriteString("startTimeUnixNano", OtlpJson.Nanoseconds(span.StartTimeUtc));
        json.WriteString("endTimeUnixNano", OtlpJson.Nanoseconds(span.StartTimeUtc + span.Duration));
        OtlpJson.WriteAttributes(json, span.TagObjects);
        json.WriteStartArray("events");
        foreach (var @event in span.Events)
        {
            json.WriteStartObject();
            json.WriteString("timeUnixNano", OtlpJson.Nanoseconds(@event.Timestamp.UtcDateTime));
            json.WriteString("name", @event.Name);
            OtlpJson.WriteAttributes(json, @event.Tags);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartArray("links");
        foreach (var link in span.Links)
        {
            json.WriteStartObject();
            json.WriteString("traceId", link.Context.TraceId.ToHexString());
            json.WriteString("spanId", link.Context.SpanId.ToHexString());
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartObject("status");
        json.WriteNumber("code", span.Status switch { ActivityStatusCode.Ok => 1, ActivityStatusCode.Error => 2, _ => 0 });
        json.WriteEndObject();
        json.WriteEndObject();
    }
}

/// <summary>Metrics as OTLP JSON: sums, gauges and histograms.</summary>
internal sealed class OtlpJsonMetricExporter(Uri address, IReadOnlyList<KeyValuePair<string, string>> headers) : BaseExporter<Metric>
{
    private const int Cumulative = 2;

    public override ExportResult Export(in Batch<Metric> batch)
    {
        var metrics = new List<Metric>();
        foreach (var metric in batch)
            metrics.Add(metric);

        return OtlpJson.Send(address, headers, json =>
        {
            json.WriteStartArray("resourceMetrics");
            json.WriteStartObject();
            OtlpJson.WriteResource(json, ParentProvider.GetResource());
            json.WriteStartArray("scopeMetrics");
            foreach (var scope in metrics.GroupBy(static metric => metric.MeterName))
            {
                json.WriteStartObject();
                json.WriteStartObject("scope");
                json.WriteString("name", scope.Key);
                json.WriteEndObject();
                json.WriteStartArray("metrics");
                foreach (var metric in scope)
                    Write(json, metric);
                json.WriteEndArray();
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
            json.WriteEndArray();
        }) ? ExportResult.Success : ExportResult.Failure;
    }

    private static void Write(Utf8JsonWriter json, Metric metric)
    {
        json.WriteStartObject();
        json.WriteString("name", metric.Name);
        json.WriteString("unit", metric.Unit);
        var isHistogram = metric.MetricType is MetricType.Histogram or MetricType.ExponentialHistogram;
        var isGauge = metric.MetricType is MetricType.LongGauge or MetricType.DoubleGauge;
        json.WriteStartObject(isHistogram ? "histogram" : isGauge ? "gauge" : "sum");
        if (!isGauge)
            json.WriteNumber("aggregationTemporality", Cumulative);
        if (metric.MetricType is MetricType.LongSum or MetricType.DoubleSum)
            json.WriteBoolean("isMonotonic", true);
        json.WriteStartArray("dataPoints");
        foreach (ref readonly var point in metric.GetMetricPoints())
            Write(json, metric, in point);
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, Metric metric, ref readonly MetricPoint point)
    {
        json.WriteStartObject();
        json.WriteString("startTimeUnixNano", OtlpJson.Nanoseconds(point.StartTime.UtcDateTime));
        json.WriteString("timeUnixNano", OtlpJson.Nanoseconds(point.EndTime.UtcDateTime));
        var tags = new List<KeyValuePair<string, object?>>();
        foreach (var tag in point.Tags)
            tags.Add(tag);
        OtlpJson.WriteAttributes(json, tags);
        switch (metric.MetricType)
        {
            case MetricType.LongSum or MetricType.LongSumNonMonotonic:
                json.WriteString("asInt", point.GetSumLong().ToString(CultureInfo.InvariantCulture));
                break;
            case MetricType.DoubleSum or MetricType.DoubleSumNonMonotonic:
                json.WriteNumber("asDouble", point.GetSumDouble());
                break;
            case MetricType.LongGauge:
                json.WriteString("asInt", point.GetGaugeLastValueLong().ToString(CultureInfo.InvariantCulture));
                break;
            case MetricType.DoubleGauge:
                json.WriteNumber("asDouble", point.GetGaugeLastValueDouble());
                break;
            default:
                WriteHistogram(json, in point);
                break;
        }

        json.WriteEndObject();
    }

    private static void WriteHistogram(Utf8JsonWriter json, ref readonly MetricPoint point)
    {
        json.WriteString("count", point.GetHistogramCount().ToString(CultureInfo.InvariantCulture));
        json.WriteNumber("sum", point.GetHistogramSum());
        var (counts, bounds) = (new List<long>(), new List<double>());
        foreach (var bucket in point.GetHistogramBuckets())
        {
            counts.Add(bucket.BucketCount);
            if (!double.IsPositiveInfinity(bucket.ExplicitBound))
                bounds.Add(bucket.ExplicitBound);
        }

        json.WriteStartArray("bucketCounts");
        foreach (var count in counts)
            json.WriteStringValue(count.ToString(CultureInfo.InvariantCulture));
        json.WriteEndArray();
        json.WriteStartArray("explicitBounds");
        foreach (var bound in bounds)
            json.WriteNumberValue(bound);
        json.WriteEndArray();
    }
}
