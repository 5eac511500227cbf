using System.Collections.Frozen;
using System.Data.Common;
using System.Text.Json;
using OpenWop.Micro.Webhooks.Delivery;
using OpenWop.Micro.Webhooks.Subscriptions;

namespace OpenWop.Micro.Webhooks.Store;

/// <summary>Subscriptions as rows.</summary>
internal static class SubscriptionRows
{
    public static Subscription Read(DbDataReader row, CircuitRules rules)
    {
        var tenant = row.GetString(1);
        var status = row.GetString(11);
        return new Subscription
        {
            Id = row.GetString(0),
            Owner = new SubscriptionOwner(tenant, row.GetInt64(2) == 1),
            Url = row.GetString(3),
            Filter = new SubscriptionFilter(tenant, Texts(row.GetString(4)), Texts(row.GetString(5))),
            Secret = row.GetFieldValue<byte[]>(6),
            Fingerprint = row.GetString(7),
            PreviousSecret = row.IsDBNull(8) ? null : row.GetFieldValue<byte[]>(8),
            PreviousUntil = Time(row.GetInt64(9)),
            Positions = [.. JsonSerializer.Deserialize<long[]>(row.GetString(10))!],
            Status = status,
            Circuit = new CircuitBreaker
            {
                Rules = rules,
                ConsecutiveFailures = (int)row.GetInt64(12),
                OpenedAt = Time(row.GetInt64(13)),
                Failures = [.. JsonSerializer.Deserialize<long[]>(row.GetString(14))!.Select(DateTimeOffset.FromUnixTimeMilliseconds)],
                IsFailed = status == SubscriptionStatus.Failed,
            },
            CreatedAt = DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(15)),
        };
    }

    public static string Texts(IEnumerable<string> texts) => JsonSerializer.Serialize(texts);

    public static string Numbers(IEnumerable<long> numbers) => JsonSerializer.Serialize(numbers);

    public static long Mode(SubscriptionOwner owner) => owner.IsTest ? 1 : 0;

    /// <param name="unixMilliseconds">0 = never.</param>
    private static DateTimeOffset? Time(long unixMilliseconds) =>
        unixMilliseconds == 0 ? null : DateTimeOffset.FromUnixTimeMilliseconds(unixMilliseconds);

    private static FrozenSet<string> Texts(string json) => JsonSerializer.Deserialize<string[]>(json)!.ToFrozenSet(StringComparer.Ordinal);
}
