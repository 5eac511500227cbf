using OpenWop.Micro.ServiceDefaults.Configuration;

namespace OpenWop.Micro.Gateway.Inflight;

/// <summary>How much a gateway takes on at a time.</summary>
/// <param name="Cap">Most requests in progress, open event streams among them; null = no limit. Setting <c>OPENWOP_INFLIGHT_CAP</c>.</param>
/// <param name="RetryAfterSeconds">When those that are turned away may come back. Setting <c>OPENWOP_INFLIGHT_RETRY_AFTER_SECONDS</c>.</param>
/// <param name="ClaimsProduction">Whether the installation claims the production profile. Setting <c>OPENWOP_PRODUCTION</c>.</param>
internal sealed record InflightOptions(int? Cap, int RetryAfterSeconds, bool ClaimsProduction)
{
    public const string CapSetting = "OPENWOP_INFLIGHT_CAP";
    private const string RetryAfterSetting = "OPENWOP_INFLIGHT_RETRY_AFTER_SECONDS";
    private const string ProductionSetting = "OPENWOP_PRODUCTION";

    /// <exception cref="InvalidOperationException">The production profile is claimed without what it demands (spec/interrupts-state-storage.md 8 and 10).</exception>
    public static InflightOptions From(IConfiguration configuration)
    {
        var cap = (int)configuration.Number(CapSetting, otherwise: 0, min: 0, max: 1_000_000);
        var options = new InflightOptions(
            cap == 0 ? null : cap, (int)configuration.Number(RetryAfterSetting, otherwise: 1, min: 1, max: 86_400), configuration.Switch(ProductionSetting));
        if (!options.ClaimsProduction)
            return options;

        if (options.Cap is null)
            throw new InvalidOperationException($"{ProductionSetting} needs a limit: {CapSetting}.");

        return configuration.PublicBaseUrl()?.StartsWith("https://", StringComparison.Ordinal) == true
            ? options
            : throw new InvalidOperationException($"{ProductionSetting} needs TLS: an https address in {Settings.PublicUrl}.");
    }
}
