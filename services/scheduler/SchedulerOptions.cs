using OpenWop.Micro.ServiceDefaults.Configuration;

namespace OpenWop.Micro.Scheduler;

/// <summary>Settings of the service.</summary>
internal sealed record SchedulerOptions
{
    /// <summary>Setting: most schedules of a tenant.</summary>
    public const string MaxPerTenantSetting = "OPENWOP_SCHEDULES_PER_TENANT";

    /// <summary>Setting: what only tests may do is allowed.</summary>
    public const string TestSeamsSetting = "OPENWOP_TEST_SEAM_ENABLED";

    /// <summary>Setting: for how many seconds the schedules of an instance that has died are left to it.</summary>
    public const string LeaseSetting = "OPENWOP_SCHEDULER_LEASE_SECONDS";

    public TimeSpan Lease { get; init; } = TimeSpan.FromSeconds(10);

    public long MaxPerTenant { get; init; } = 10_000;

    public bool HasTestSeams { get; init; }

    public static SchedulerOptions From(IConfiguration configuration) => new()
    {
        MaxPerTenant = configuration.Number(MaxPerTenantSetting, 10_000, min: 1, max: 1_000_000),
        Lease = TimeSpan.FromSeconds(configuration.Number(LeaseSetting, 10, min: 2, max: 86_400)),
        HasTestSeams = configuration.Switch(TestSeamsSetting),
    };
}
