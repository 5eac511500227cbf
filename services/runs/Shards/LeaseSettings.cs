using OpenWop.Micro.ServiceDefaults.Configuration;
using OpenWop.Micro.Storage;

namespace OpenWop.Micro.Runs.Shards;

/// <summary>How this instance holds its shards.</summary>
/// <param name="Owner">Names this process and no other, not even its own restart.</param>
/// <param name="Duration">How long the shards of a crashed instance stand still. Setting <c>OPENWOP_CLAIM_TTL_MS</c>.</param>
/// <param name="Heartbeat">Time between two prolongations. Setting <c>OPENWOP_HEARTBEAT_INTERVAL_MS</c>.</param>
/// <param name="Exclusive">Nobody else can use the database.</param>
internal sealed record LeaseSettings(string Owner, TimeSpan Duration, TimeSpan Heartbeat, bool Exclusive)
{
    private const string DurationSetting = "OPENWOP_CLAIM_TTL_MS";
    private const string HeartbeatSetting = "OPENWOP_HEARTBEAT_INTERVAL_MS";
    private const long DefaultDuration = 10_000;

    /// <exception cref="InvalidOperationException">A setting makes no sense.</exception>
    public static LeaseSettings From(IConfiguration configuration, bool exclusive)
    {
        var duration = configuration.Number(DurationSetting, DefaultDuration, min: 500, max: 300_000);
        var heartbeat = configuration.Number(HeartbeatSetting, duration / 4, min: 50, max: 150_000);
        return heartbeat <= duration / 2
            ? new LeaseSettings($"{Environment.MachineName}-{Guid.NewGuid():N}", TimeSpan.FromMilliseconds(duration), TimeSpan.FromMilliseconds(heartbeat), exclusive)
            : throw new InvalidOperationException($"{HeartbeatSetting} must be at most half of {DurationSetting}: one heartbeat may get lost.");
    }

    public ShardLeaseOptions Options(string address) => new()
    {
        ShardCount = ShardService.ShardCount,
        Owner = Owner,
        Address = address,
        Duration = Duration,
        Heartbeat = Heartbeat,
        Exclusive = Exclusive,
    };
}
