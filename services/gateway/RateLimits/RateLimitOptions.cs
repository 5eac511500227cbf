using OpenWop.Micro.ServiceDefaults.Configuration;

namespace OpenWop.Micro.Gateway.RateLimits;

/// <summary>How many calls are admitted per minute, which is also the most that may come at once; null = unlimited.</summary>
/// <param name="PerKey">Calls of one key.</param>
/// <param name="PerTenant">Calls of all keys of one tenant.</param>
/// <param name="PerRoute">Calls of one operation by one tenant.</param>
/// <param name="IsForced">Whether every call is refused: shows clients what they have to cope with.</param>
internal sealed record RateLimitOptions(int? PerKey, int? PerTenant = null, int? PerRoute = null, bool IsForced = false)
{
    public const string PerMinuteSetting = "OPENWOP_RATELIMIT_PER_MINUTE";
    public const string TenantPerMinuteSetting = "OPENWOP_RATELIMIT_TENANT_PER_MINUTE";
    public const string RoutePerMinuteSetting = "OPENWOP_RATELIMIT_ROUTE_PER_MINUTE";
    public const string DisabledSetting = "OPENWOP_RATELIMIT_DISABLED";
    public const string ForcedSetting = "OPENWOP_FORCE_RATE_LIMIT";

    /// <summary>2000 calls per second on average: no well-meant client notices, one that runs wild is contained.</summary>
    private const int DefaultPerMinute = 120_000;
    private const int MaxPerMinute = 100_000_000;

    public static RateLimitOptions From(IConfiguration configuration)
    {
        var isForced = configuration.Switch(ForcedSetting);
        return configuration.Switch(DisabledSetting)
            ? new(PerKey: null, IsForced: isForced)
            : new(
                (int)configuration.Number(PerMinuteSetting, DefaultPerMinute, min: 1, max: MaxPerMinute),
                Optional(configuration, TenantPerMinuteSetting),
                Optional(configuration, RoutePerMinuteSetting),
                isForced);
    }

    private static int? Optional(IConfiguration configuration, string setting) =>
        string.IsNullOrWhiteSpace(configuration[setting]) ? null : (int)configuration.Number(setting, 1, min: 1, max: MaxPerMinute);
}
