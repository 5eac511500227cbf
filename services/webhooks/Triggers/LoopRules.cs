using OpenWop.Micro.Contracts.Runs.V1;

namespace OpenWop.Micro.Webhooks.Triggers;

/// <summary>
/// Keeps triggers from going round in circles. Every run knows the triggers that have led to it, also through children and forks: its
/// lineage, which the engine keeps and callers cannot set.
/// </summary>
internal static class LoopRules
{
    /// <summary>Whether an event is of the trigger's own making: of its workflow, or of a run that it has led to.</summary>
    public static bool IsOwn(Trigger trigger, FeedEvent @event) =>
        @event.WorkflowId == trigger.Spec.WorkflowId || @event.Lineage.Contains(trigger.Id);

    /// <summary>Whether one more trigger would be one too many, whether or not it wants events of its own making.</summary>
    public static bool IsTooDeep(FeedEvent @event, int maxDepth) => @event.Lineage.Count >= maxDepth;
}
