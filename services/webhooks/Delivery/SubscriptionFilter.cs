using System.Collections.Frozen;

namespace OpenWop.Micro.Webhooks.Delivery;

/// <summary>Which events a subscription receives (spec/webhooks-packs.md 1.3, 1.9).</summary>
/// <param name="TenantId">Events of this tenant only, whatever else matches.</param>
/// <param name="Events">Exact names of event types; no wildcards.</param>
/// <param name="Tags">When there are any, the run must have one of them.</param>
internal sealed record SubscriptionFilter(string TenantId, FrozenSet<string> Events, FrozenSet<string> Tags)
{
    public bool Matches(string tenantId, string eventType, IEnumerable<string> runTags) =>
        string.Equals(TenantId, tenantId, StringComparison.Ordinal)
        && Events.Contains(eventType)
        && (Tags.Count == 0 || runTags.Any(Tags.Contains));
}
