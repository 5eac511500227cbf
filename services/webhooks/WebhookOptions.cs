using OpenWop.Micro.Egress;
using OpenWop.Micro.ServiceDefaults.Configuration;
using OpenWop.Micro.Webhooks.Delivery;

namespace OpenWop.Micro.Webhooks;

/// <summary>Settings of the service.</summary>
internal sealed record WebhookOptions
{
    /// <summary>Setting: receivers may be http, private addresses and this machine: for development and closed networks.</summary>
    public const string AllowPrivateSetting = "OPENWOP_WEBHOOK_ALLOW_PRIVATE";

    /// <summary>Setting: most subscriptions of a tenant.</summary>
    public const string MaxPerTenantSetting = "OPENWOP_WEBHOOKS_PER_TENANT";

    /// <summary>Setting: deliveries that a process has under way for one subscription.</summary>
    public const string ConcurrencySetting = "OPENWOP_WEBHOOK_CONCURRENCY";

    /// <summary>Setting: deliveries that a process has under way.</summary>
    public const string SlotsSetting = "OPENWOP_WEBHOOK_SLOTS";

    /// <summary>Setting: attempts until a delivery is a dead letter.</summary>
    public const string MaxAttemptsSetting = "OPENWOP_WEBHOOK_MAX_ATTEMPTS";

    /// <summary>Setting: wait after the first failure.</summary>
    public const string FirstRetrySetting = "OPENWOP_WEBHOOK_FIRST_RETRY_MS";

    /// <summary>Setting: longest wait between two attempts.</summary>
    public const string LastRetrySetting = "OPENWOP_WEBHOOK_MAX_RETRY_SECONDS";

    /// <summary>Setting: how long an open circuit lets nothing out.</summary>
    public const string CircuitSetting = "OPENWOP_WEBHOOK_CIRCUIT_OPEN_SECONDS";

    /// <summary>Setting: failures within seven days that end a subscription.</summary>
    public const string MaxFailuresSetting = "OPENWOP_WEBHOOK_MAX_FAILURES";

    /// <summary>Setting: how long dead letters are kept, and how long a delivery may wait.</summary>
    public const string DeadLetterSetting = "OPENWOP_WEBHOOK_DEAD_LETTER_DAYS";

    /// <summary>Setting: how long what was delivered is kept.</summary>
    public const string DeliveredSetting = "OPENWOP_WEBHOOK_DELIVERED_HOURS";

    /// <summary>Setting: how long the shards of a worker that has died are left to it, as for runs.</summary>
    public const string LeaseSetting = "OPENWOP_CLAIM_TTL_MS";

    public EgressPolicy Egress { get; init; } = new() { RequireHttps = true };

    public long MaxPerTenant { get; init; } = 100;

    public int Concurrency { get; init; } = 4;

    public int Slots { get; init; } = 256;

    public RetryPolicy Retries { get; init; } = new(TimeSpan.FromSeconds(1), TimeSpan.FromHours(1), MaxAttempts: 12);

    public CircuitRules Circuit { get; init; } = CircuitRules.Default;

    public TimeSpan DeadLetters { get; init; } = TimeSpan.FromDays(7);

    public TimeSpan Delivered { get; init; } = TimeSpan.FromDays(1);

    public TimeSpan Lease { get; init; } = TimeSpan.FromSeconds(10);

    public static WebhookOptions From(IConfiguration configuration)
    {
        var isOpen = configuration.Switch(AllowPrivateSetting);
        return new()
        {
            Egress = new() { RequireHttps = !isOpen, AllowPrivate = isOpen },
            MaxPerTenant = configuration.Number(MaxPerTenantSetting, 100, min: 1, max: 100_000),
            Concurrency = (int)configuration.Number(ConcurrencySetting, 4, min: 1, max: 64),
            Slots = (int)configuration.Number(SlotsSetting, 256, min: 1, max: 4096),
            Retries = new(
                TimeSpan.FromMilliseconds(configuration.Number(FirstRetrySetting, 1000, min: 10, max: 3_600_000)),
                TimeSpan.FromSeconds(configuration.Number(LastRetrySetting, 3600, min: 1, max: 86_400)),
                (int)configuration.Number(MaxAttemptsSetting, 12, min: 1, max: 100)),
            Circuit = CircuitRules.Default with
            {
                OpenFor = TimeSpan.FromSeconds(configuration.Number(CircuitSetting, 3600, min: 1, max: 86_400)),
                FailuresToFail = (int)configuration.Number(MaxFailuresSetting, 100, min: 1, max: 100_000),
            },
            DeadLetters = TimeSpan.FromDays(configuration.Number(DeadLetterSetting, 7, min: 1, max: 90)),
            Delivered = TimeSpan.FromHours(configuration.Number(DeliveredSetting, 24, min: 1, max: 24 * 90)),
            Lease = TimeSpan.FromMilliseconds(configuration.Number(LeaseSetting, 10_000, min: 500, max: 300_000)),
        };
    }
}
