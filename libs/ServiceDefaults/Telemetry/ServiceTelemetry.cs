using System.Diagnostics;
using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace OpenWop.Micro.ServiceDefaults.Telemetry;

/// <summary>
/// Traces, metrics and logs over OTLP. The OpenTelemetry SDK is set up only when somebody collects: without
/// <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> no listener exists, and instrumented code costs a null check.
/// </summary>
internal static class ServiceTelemetry
{
    /// <summary>Activity sources and meters of the project all start like this.</summary>
    private const string OwnSources = "OpenWop.*";

    private const string Endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";
    private const string Protocol = "OTEL_EXPORTER_OTLP_PROTOCOL";
    private const string SpanDelay = "OTEL_BSP_SCHEDULE_DELAY";

    public static void AddServiceTelemetry(this WebApplicationBuilder builder, string service)
    {
        if (string.IsNullOrWhiteSpace(builder.Configuration[Endpoint]))
            return;

        if (string.IsNullOrWhiteSpace(builder.Configuration[Protocol]))
            builder.Configuration[Protocol] = "http/protobuf";

        // What somebody looks for a moment later is there: not the SDK's five seconds.
        if (string.IsNullOrWhiteSpace(builder.Configuration[SpanDelay]))
            builder.Configuration[SpanDelay] = "1000";

        var telemetry = builder.Services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService(
                $"openwop-{service}",
                serviceNamespace: "openwop",
                serviceVersion: typeof(ServiceTelemetry).Assembly.GetName().Version?.ToString(3)))
            .WithTracing(traces => traces
                .AddSource(OwnSources)
                .AddAspNetCoreInstrumentation(options =>
                {
                    options.Filter = static context => !IsProbe(context.Request.Path);
                    options.EnrichWithHttpRequest = static (span, request) => HideToken(span, request.Path);
                })
                .AddHttpClientInstrumentation())
            .WithMetrics(metrics => metrics
                .AddMeter(OwnSources)
                .AddMeter("System.Runtime")
                .AddMeter("Microsoft.AspNetCore.Server.Kestrel")
                .AddAspNetCoreInstrumentation()
                .AddHttpClientInstrumentation());
        if (builder.Configuration[Protocol] != OtlpJson.Protocol)
        {
            telemetry.UseOtlpExporter();
            return;
        }

        var headers = OtlpJson.HeadersOf(builder.Configuration);
        telemetry
            .WithTracing(traces => traces.AddProcessor(new BatchActivityExportProcessor(
                new OtlpJsonSpanExporter(OtlpJson.AddressOf(builder.Configuration, "traces"), headers), scheduledDelayMilliseconds: int.Parse(builder.Configuration[SpanDelay]!, CultureInfo.InvariantCulture))))
            .WithMetrics(metrics => metrics.AddReader(new PeriodicExportingMetricReader(
                new OtlpJsonMetricExporter(OtlpJson.AddressOf(builder.Configuration, "metrics"), headers))));
    }

    /// <summary>The token of an interrupt stands in the path, and is a credential.</summary>
    private static void HideToken(Activity span, string? path)
    {
        if (path?.StartsWith("/v1/interrupts/", StringComparison.OrdinalIgnoreCase) == true)
            span.SetTag("url.path", "/v1/interrupts/{token}");
    }

    private static bool IsProbe(string? path) => path is "/healthz" or "/readyz";
}
