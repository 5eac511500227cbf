using System.Text.Json;
using OpenWop.Micro.Protocol.Events;
using OpenWop.Micro.Runs.Core;
using OpenWop.Micro.Runs.Nodes.Conformance;

namespace OpenWop.Micro.Runs.Nodes.Agents;

/// <summary>
/// <c>core.orchestrator.supervisor</c>: decides, once per visit, what happens next; <c>core.dispatch</c> carries it out
/// (docs/nodes.md). It follows a plan in its config; a run has one orchestrator, and nothing follows <c>terminate</c>.
/// </summary>
internal sealed class SupervisorNode : INodeHandler
{
    /// <summary>What is dispatched in tests of the protocol that give no plan.</summary>
    private const string DefaultWorker = "conformance-noop";

    public string TypeId => "core.orchestrator.supervisor";

    public bool IsPure => true;

    public ValueTask<NodeOutcome> ExecuteAsync(NodeContext context, CancellationToken cancellationToken) => ValueTask.FromResult(Decide(context));

    private static NodeOutcome Decide(NodeContext context)
    {
        var parameters = new NodeParameters(context);
        var agentId = AgentId(context, parameters);
        var plan = PlanOf(context, parameters);
        if (parameters.HasFailed(out var invalid))
            return invalid;

        if (context.Orchestration is { } known && known.AgentId != agentId)
            return new NodeOutcome.Failed(new NodeError("validation_error", $"The orchestrator of the run is '{known.AgentId}'; there cannot be another one."));

        if (context.Orchestration?.Latest.StringMember("kind") == Decision.Terminate)
            return new NodeOutcome.Completed(NodeJson.EmptyObject, []);

        // The position in the plan is the number of decisions in the log.
        var turn = context.Orchestration?.Decisions ?? 0;
        if (turn > 0 || context.Node.Config.Member("mockPendingDecision") is not { } pending)
            return Decided(context, agentId, turn < plan.Count ? plan[turn] : Decision.End("plan-exhausted"));

        var confidence = Confidence.Read(context.Node.Config.Member("mockConfidence"));
        var key = context.InterruptKey(0);
        return context.Resolved.TryGetValue(key, out var answer) ? Decided(context, agentId, Ratified(answer, pending))
            : confidence < Confidence.ThresholdOf(context) ? Confidence.Hold(context, key, agentId, confidence.Value, pending)
            : Decided(context, agentId, pending);
    }

    private static NodeOutcome.Completed Decided(NodeContext context, string agentId, JsonElement decision)
    {
        context.Emit(new NodeEvent(EventTypes.OrchestratorDecided, NodeJson.Object(writer =>
        {
            writer.WriteString("agentId", agentId);
            writer.WritePropertyName("decision");
            decision.WriteTo(writer);
        })));
        return new NodeOutcome.Completed(NodeJson.Object(writer =>
        {
            writer.WritePropertyName("decision");
            decision.WriteTo(writer);
        }));
    }

    /// <summary>A person may accept the decision, reject it, which ends the run, or give another one.</summary>
    private static JsonElement Ratified(JsonElement answer, JsonElement pending) =>
        Decision.Check(answer) is null ? answer
        : answer.Member("decision") is { } other && Decision.Check(other) is null ? other
        : answer.StringMember("action") == "reject" ? Decision.End("rejected")
        : pending;

    private static string AgentId(NodeContext context, NodeParameters parameters)
    {
        var agentId = context.Node.Agent?.StringMember("agentId") ?? parameters.ConfigString("agentId") ?? $"host:supervisor:{context.Node.Id}";
        if (agentId.Length is < 3 or > 256)
            parameters.Reject("agentId", "must have 3 to 256 characters");

        return agentId;
    }

    private static List<JsonElement> PlanOf(NodeContext context, NodeParameters parameters)
    {
        var given = parameters.FindConfig("mockDispatchPlan") ?? parameters.FindConfig("mockDecisions");
        var pending = context.Node.Config.Member("mockPendingDecision");
        if (given is null && pending is null)
        {
            if (TestWorkflows.Includes(context.WorkflowId))
                return [Decision.Dispatch(DefaultWorker), Decision.End("goal-reached")];

            parameters.Reject("mockDispatchPlan", "must be a list of decisions: this server has no orchestrator that decides by itself");
        }

        List<JsonElement> plan = given is { ValueKind: JsonValueKind.Array } list ? [.. list.EnumerateArray()] : [];
        if (given is { ValueKind: not JsonValueKind.Array })
            parameters.Reject("mockDispatchPlan", "must be a list of decisions");

        foreach (var decision in pending is { } held ? plan.Prepend(held) : plan)
        {
            if (Decision.Check(decision) is { } problem)
                parameters.Reject("mockDispatchPlan", $"has a decision that {problem}");
        }

        return plan;
    }
}
