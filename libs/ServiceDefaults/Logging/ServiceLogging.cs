using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Logging;
using OpenWop.Micro.ServiceDefaults.Configuration;

namespace OpenWop.Micro.ServiceDefaults.Logging;

/// <summary>
/// Console logging: JSON lines with scopes (trace id, tenant, run id) for machines, one short line per entry for people.
/// </summary>
internal static class ServiceLogging
{
    public static void AddServiceLogging(this WebApplicationBuilder builder)
    {
        var logging = builder.Logging;
        logging.ClearProviders();
        var level = Level(builder.Configuration[Settings.LogLevel]);
        logging.SetMinimumLevel(level);
        // What the framework says about each request is in traces and metrics; its logs are for trouble.
        var quiet = level > LogLevel.Warning ? level : LogLevel.Warning;
        foreach (var framework in (string[])["Microsoft", "System", "Grpc", "Yarp"])
            logging.AddFilter(framework, quiet);
        logging.AddFilter("Microsoft.Hosting.Lifetime", level > LogLevel.Information ? level : LogLevel.Information);

        if (IsJson(builder.Configuration[Settings.LogFormat]))
        {
            logging.Configure(options => options.ActivityTrackingOptions = ActivityTrackingOptions.TraceId | ActivityTrackingOptions.SpanId);
            logging.AddJsonConsole(json =>
            {
                json.IncludeScopes = true;
                json.UseUtcTimestamp = true;
                json.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ";
                json.JsonWriterOptions = new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
            });
        }
        else
        {
            logging.AddSimpleConsole(simple =>
            {
                simple.SingleLine = true;
                simple.IncludeScopes = false;
                simple.TimestampFormat = "HH:mm:ss.fff ";
            });
        }
    }

    private static bool IsJson(string? format) => format?.Trim().ToLowerInvariant() switch
    {
        null or "" => Console.IsOutputRedirected,
        "json" => true,
        "simple" => false,
        _ => throw new InvalidOperationException($"{Settings.LogFormat} must be json or simple."),
    };

    private static LogLevel Level(string? level) =>
        string.IsNullOrWhiteSpace(level) ? LogLevel.Information
        : Enum.TryParse<LogLevel>(level.Trim(), ignoreCase: true, out var parsed) && Enum.IsDefined(parsed) ? parsed
        : throw new InvalidOperationException($"{Settings.LogLevel} must be one of {string.Join(", ", Enum.GetNames<LogLevel>())}.");
}
