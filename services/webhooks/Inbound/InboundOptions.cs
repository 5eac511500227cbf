using OpenWop.Micro.ServiceDefaults.Configuration;

namespace OpenWop.Micro.Webhooks.Inbound;

/// <summary>Settings.</summary>
internal sealed record InboundOptions
{
    /// <summary>Setting: most inbound webhooks of a tenant.</summary>
    public const string MaxPerTenantSetting = "OPENWOP_INBOUND_WEBHOOKS_PER_TENANT";

    /// <summary>Setting: for how many days a delivery id is remembered.</summary>
    public const string RetentionSetting = "OPENWOP_INBOUND_DEDUPE_DAYS";

    public long MaxPerTenant { get; init; } = 1_000;

    public TimeSpan Retention { get; init; } = TimeSpan.FromDays(7);

    public static InboundOptions From(IConfiguration configuration) => new()
    {
        MaxPerTenant = configuration.Number(MaxPerTenantSetting, 1_000, min: 1, max: 1_000_000),
        Retention = TimeSpan.FromDays(configuration.Number(RetentionSetting, 7, min: 1, max: 365)),
    };
}
