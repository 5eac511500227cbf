using System.Text.Json;
using OpenWop.Micro.Protocol.Events;
using OpenWop.Micro.Runs.Core;
using OpenWop.Micro.Runs.Nodes.Flow;

namespace OpenWop.Micro.Runs.Nodes.Agents;

/// <summary>
/// <c>core.dispatch</c>: carries out the latest decision of the orchestrator (docs/nodes.md, spec/agents.md 5):
/// <list type="number">
/// <item>no decision: fails;</item>
/// <item><c>next-worker</c>: runs each workflow as a child, one after the other, and maps variables down before and up after it; a
/// child that does not complete fails the node;</item>
/// <item><c>ask-user</c>: asks and completes with the answer;</item>
/// <item><c>terminate</c>: completes the run.</item>
/// </list>
/// All its events name the decision as their cause.
/// </summary>
internal sealed class DispatchNode : INodeHandler
{
    private const string QuestionId = "answer";

    public string TypeId => "core.dispatch";

    public bool IsPure => false;

    public async ValueTask<NodeOutcome> ExecuteAsync(NodeContext context, CancellationToken cancellationToken)
    {
        // 1.
        if (context.Orchestration is not { } orchestration)
            return new NodeOutcome.Failed(new NodeError("no_pending_decision", "There is no decision of an orchestrator to carry out."));

        context.CausedBy(orchestration.LatestSequence);
        var parameters = new NodeParameters(context);
        var config = DispatchConfig.Read(parameters);
        if (parameters.HasFailed(out var invalid))
            return invalid;

        var decision = orchestration.Latest;
        return decision.StringMember("kind") switch
        {
            Decision.NextWorker => await RunWorkersAsync(context, config, decision, cancellationToken),
            Decision.AskUser => Ask(context, config, decision),
            _ => new NodeOutcome.Completed(NodeJson.EmptyObject, []) { EndsRun = true },
        };
    }

    /// <summary>2. Executed again after each child: what the children before the last one have led to is recorded already.</summary>
    private static async Task<NodeOutcome> RunWorkersAsync(NodeContext context, DispatchConfig config, JsonElement decision, CancellationToken cancellationToken)
    {
        var workers = Decision.Workers(decision);
        if (workers.Length > 1 && config.RejectsFanOut)
            return new NodeOutcome.Failed(new NodeError("fan_out_unsupported", $"The decision names {workers.Length} workers, and this node takes one at a time."));

        if (config.IterationCap is { } cap && context.Iteration >= cap)
            return BreachCap(context, cap);

        if (context.ChildResults is [.., var last])
        {
            Report(context, last);
            if (last.Status != "completed")
                return ChildOutcomes.Failure(last);

            config.OutputsOf(last.WorkflowId).Harvest(context, last);
            if (context.ChildResults.Length == workers.Length)
                return new NodeOutcome.Completed(ChildOutcomes.Outputs(last));
        }

        var worker = workers[context.ChildResults.Length];
        var request = config.InputsOf(worker).Seed(context, new ChildRequest(worker) { Harvest = config.OutputsOf(worker).Sources });
        var start = await context.StartChildAsync(request, cancellationToken);
        return start.Error is { } error ? new NodeOutcome.Failed(error) : new NodeOutcome.WaitingForChild(start.RunId!);
    }

    /// <summary>3. As a conversation of one exchange, unless the config wants a clarification.</summary>
    private static NodeOutcome Ask(NodeContext context, DispatchConfig config, JsonElement decision)
    {
        var prompt = decision.StringMember("prompt")!;
        if (!config.AsksClarification)
        {
            var conversation = new Conversation(context) { Prompt = prompt };
            return conversation.Step(out var outcome) ?? Answered(outcome);
        }

        var key = context.InterruptKey(0);
        return context.Resolved.TryGetValue(key, out var resolved)
            ? Answered(resolved.Member("answers")?.Member(QuestionId) ?? resolved)
            : new NodeOutcome.Suspended(new Interrupt(InterruptKinds.Clarification, key, NodeJson.Object(writer =>
            {
                writer.WriteStartArray("questions");
                writer.WriteStartObject();
                writer.WriteString("id", QuestionId);
                writer.WriteString("question", prompt);
                writer.WriteEndObject();
                writer.WriteEndArray();
            })));
    }

    private static NodeOutcome.Completed Answered(JsonElement answer) => new(NodeJson.Object(writer =>
    {
        writer.WritePropertyName("answer");
        answer.WriteTo(writer);
    }));

    private static void Report(NodeContext context, ChildResult child) => context.Emit(new NodeEvent(EventTypes.NodeDispatched, NodeJson.Object(writer =>
    {
        writer.WriteString("childRunId", child.RunId);
        writer.WriteString("childWorkflowId", child.WorkflowId);
        writer.WriteString("childStatus", child.Status);
    })));

    private static NodeOutcome.Failed BreachCap(NodeContext context, long cap)
    {
        context.Emit(new NodeEvent(EventTypes.CapBreached, NodeJson.Object(writer =>
        {
            writer.WriteString("kind", "loop-iterations");
            writer.WriteNumber("limit", cap);
            writer.WriteNumber("observed", context.Iteration + 1);
            writer.WriteString("nodeId", context.Node.Id);
        })));
        return new NodeOutcome.Failed(new NodeError("loop_limit_exceeded", $"Node '{context.Node.Id}' would be dispatched more than {cap} times."));
    }
}
