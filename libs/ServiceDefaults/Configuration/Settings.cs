using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;

namespace OpenWop.Micro.ServiceDefaults.Configuration;

/// <summary>
/// Names of the settings that several services share. A setting is an environment variable <c>OPENWOP_*</c>, or the same key
/// on the command line or in <c>appsettings.json</c>. The full list is in docs/configuration.md.
/// </summary>
public static class Settings
{
    /// <summary>Directory of all data; on the command line <c>--data</c>. Default <c>./data</c>.</summary>
    public const string Data = "OPENWOP_DATA";

    /// <summary>Base URL under which clients reach the installation; URLs in answers start with it.</summary>
    public const string PublicUrl = "OPENWOP_PUBLIC_URL";

    /// <summary><c>json</c> or <c>simple</c>. Default: <c>simple</c> on a terminal, else <c>json</c>.</summary>
    public const string LogFormat = "OPENWOP_LOG_FORMAT";

    /// <summary>Least level that is logged. Default <c>Information</c>.</summary>
    public const string LogLevel = "OPENWOP_LOG_LEVEL";

    /// <summary>
    /// Addresses of another service: a comma separated list of http or https URLs, or one <c>dns:///host:port</c> whose name stands for
    /// all instances: <c>OPENWOP_RUNS_URL</c>.
    /// </summary>
    public static string AddressesOf(string service)
    {
        ArgumentException.ThrowIfNullOrEmpty(service);
        return $"OPENWOP_{service.ToUpperInvariant()}_URL";
    }

    /// <summary>The absolute path of the data directory. It exists when the method returns.</summary>
    public static string DataDirectory(this IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        var configured = NonEmpty(configuration["data"]) ?? NonEmpty(configuration[Data]) ?? "data";
        return Directory.CreateDirectory(Path.GetFullPath(configured)).FullName;
    }

    /// <summary>Whether a switch is on: <c>true</c> or <c>1</c>. Absent is <paramref name="otherwise"/>.</summary>
    /// <exception cref="InvalidOperationException">The value is something else.</exception>
    public static bool Switch(this IConfiguration configuration, string name, bool otherwise = false)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        return NonEmpty(configuration[name])?.ToLowerInvariant() switch
        {
            null => otherwise,
            "true" or "1" => true,
            "false" or "0" => false,
            _ => throw new InvalidOperationException($"{name} must be true or false."),
        };
    }

    /// <summary>A whole number within limits. Absent is <paramref name="otherwise"/>.</summary>
    /// <exception cref="InvalidOperationException">The value is not a number, or out of its limits.</exception>
    public static long Number(this IConfiguration configuration, string name, long otherwise, long min, long max)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        if (NonEmpty(configuration[name]) is not { } text)
            return otherwise;

        return long.TryParse(text, System.Globalization.NumberStyles.AllowLeadingSign, System.Globalization.CultureInfo.InvariantCulture, out var value)
            && value >= min
            && value <= max
                ? value
                : throw new InvalidOperationException($"{name} must be a whole number from {min} to {max}.");
    }

    /// <summary>The addresses of a service; empty when none are configured.</summary>
    /// <exception cref="InvalidOperationException">An entry is not an absolute http, https or dns URL.</exception>
    public static IReadOnlyList<Uri> ServiceAddresses(this IConfiguration configuration, string service)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        var name = AddressesOf(service);
        return [.. (configuration[name] ?? "")
            .Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Select(entry => entry.StartsWith("dns:///", StringComparison.Ordinal) && Uri.TryCreate(entry, UriKind.Absolute, out var dns) ? dns : HttpUrl(name, entry))];
    }

    /// <summary>The public base URL without a trailing slash, or null when answers use the address of the request.</summary>
    /// <exception cref="InvalidOperationException">The value is not an absolute http or https URL.</exception>
    public static string? PublicBaseUrl(this IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        return NonEmpty(configuration[PublicUrl]) is { } url ? HttpUrl(PublicUrl, url).ToString().TrimEnd('/') : null;
    }

    private static Uri HttpUrl(string name, string value) =>
        Uri.TryCreate(value, UriKind.Absolute, out var uri) && (uri.Scheme == Uri.UriSchemeHttp || uri.Scheme == Uri.UriSchemeHttps)
            ? uri
            : throw new InvalidOperationException($"{name} must hold absolute http or https URLs.");

    private static string? NonEmpty(string? value) => string.IsNullOrWhiteSpace(value) ? null : value.Trim();
}

/// <summary>Where a service listens when nothing else is configured.</summary>
internal static class DefaultAddresses
{
    private static readonly string[] AddressSettings = ["urls", "http_ports", "https_ports"];

    /// <summary>Sets the default address unless <c>--urls</c>, <c>ASPNETCORE_URLS</c> or <c>Kestrel:Endpoints</c> name one.</summary>
    public static void UseDefaultAddress(this WebApplicationBuilder builder, string service)
    {
        if (AddressSettings.Any(name => !string.IsNullOrEmpty(builder.Configuration[name])) || builder.Configuration.GetSection("Kestrel:Endpoints").Exists())
            return;

        builder.WebHost.UseUrls($"http://127.0.0.1:{PortOf(service)}");
    }

    private static int PortOf(string service) => service switch
    {
        "identity" => 8081,
        "workflows" => 8082,
        "runs" => 8083,
        "scheduler" => 8084,
        "webhooks" => 8085,
        _ => 8080,
    };
}
