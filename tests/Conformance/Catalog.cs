using OpenWop.Micro.Conformance.Scenarios;

namespace OpenWop.Micro.Conformance;

/// <summary>Every scenario, section by section.</summary>
internal static class Catalog
{
    public static IReadOnlyList<Scenario> All { get; } =
    [
        .. DiscoveryScenarios.All,
        .. CallerScenarios.All,
        .. LifecycleScenarios.All,
        .. StoppingScenarios.All,
        .. IdempotencyScenarios.All,
        .. InterruptScenarios.All,
        .. ApprovalActionScenarios.All,
        .. ExternalEventScenarios.All,
        .. StreamScenarios.All,
        .. ForkScenarios.All,
        .. LimitScenarios.All,
        .. ChildRunScenarios.All,
        .. AgentScenarios.All,
        .. OrchestratorScenarios.All,
        .. MemoryScenarios.All,
        .. ConversationScenarios.All,
        .. RedactionScenarios.All,
        .. SecretScenarios.All,
        .. OperationScenarios.All,
        .. WebhookScenarios.All,
        .. RunOptionScenarios.All,
        .. RouteScenarios.All,
        .. RunDocumentScenarios.All,
        .. HostileInputScenarios.All,
        .. ModelScenarios.All,
        .. ProviderScenarios.All,
        .. ToolScenarios.All,
        .. PeerScenarios.All,
        .. ToolServerScenarios.All,
        .. AuthoringScenarios.All,
        .. OrganizationScenarios.All,
        .. TriggerScenarios.All,
        .. SeamScenarios.All,
        .. ScriptedModelScenarios.All,
        .. DocumentScenarios.All,
    ];
}
