using OpenWop.Micro.ServiceDefaults.Configuration;

namespace OpenWop.Micro.Webhooks.Triggers;

/// <summary>Settings.</summary>
internal sealed record TriggerOptions
{
    /// <summary>Setting: most triggers of a tenant.</summary>
    public const string MaxPerTenantSetting = "OPENWOP_TRIGGERS_PER_TENANT";

    /// <summary>Setting: most triggers in a row.</summary>
    public const string MaxDepthSetting = "OPENWOP_TRIGGER_MAX_DEPTH";

    /// <summary>Setting: for how many days the history of triggers is kept.</summary>
    public const string RetentionSetting = "OPENWOP_TRIGGER_HISTORY_DAYS";

    public long MaxPerTenant { get; init; } = 1_000;

    /// <summary>Not more than the engine keeps of a lineage.</summary>
    public int MaxDepth { get; init; } = 8;

    public TimeSpan Retention { get; init; } = TimeSpan.FromDays(30);

    public static TriggerOptions From(IConfiguration configuration) => new()
    {
        MaxPerTenant = configuration.Number(MaxPerTenantSetting, 1_000, min: 1, max: 100_000),
        MaxDepth = (int)configuration.Number(MaxDepthSetting, 8, min: 1, max: 64),
        Retention = TimeSpan.FromDays(configuration.Number(RetentionSetting, 30, min: 1, max: 365)),
    };
}
