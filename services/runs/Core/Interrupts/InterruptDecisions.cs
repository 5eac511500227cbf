using System.Text.Json;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.Protocol.Schemas;
using OpenWop.Micro.Runs.Nodes;

namespace OpenWop.Micro.Runs.Core;

/// <summary>Who answers an interrupt, and what.</summary>
/// <param name="Principal">The authenticated caller; null for a signed token.</param>
/// <param name="ByToken">True on the token surface, whose refusals differ (spec/interrupts-state-storage.md 2.4).</param>
internal sealed record Answer(JsonElement Value, string? Principal, bool ByToken);

/// <summary>
/// Suspension, resolution and time-out of interrupts. Exactly one of resolve, cancel and time-out wins, because all of them are
/// decided by the run's one reader and look at the same state.
/// </summary>
internal static class InterruptDecisions
{
    /// <summary>Member of an interrupt's data: with <see cref="Resume"/> a time-out is an answer.</summary>
    public const string OnTimeOut = "onTimeout";

    public const string Resume = "resume";

    /// <summary>The answer of the clock.</summary>
    public static readonly JsonElement TimedOutAnswer = JsonElement.Parse("""{"$timedOut":true}""");

    /// <summary>Outcome of an interrupt that nobody resolved in time.</summary>
    public const string TimeOut = "timeout";

    /// <summary>A node asks and waits.</summary>
    public static void Suspend(Draft draft, string nodeId, NodeState node, Interrupt interrupt)
    {
        if (node.Resolved.ContainsKey(interrupt.Key))
        {
            Decisions.AddFailure(draft, nodeId, new NodeError("interrupt_key_reused", $"The interrupt key '{interrupt.Key}' has an answer already."));
            return;
        }

        if (interrupt.ResumeSchema is { } schema && !JsonSchemaDocument.TryCompile(schema, out _, out var invalid))
        {
            Decisions.AddFailure(draft, nodeId, new NodeError("config_invalid", $"The schema of the answer is no schema: {invalid.Message}"));
            return;
        }

        var interruptId = IdOf(draft.State, draft.State.LastSequence + 1);
        draft.Add(new InterruptRequested(nodeId, interrupt));
        if (interrupt.Kind is InterruptKinds.Approval or InterruptKinds.Clarification)
            draft.Add(new LegacyRequest(nodeId, interruptId, interrupt.Kind, interrupt));

        draft.Add(new NodeSuspended(
            nodeId,
            interruptId,
            interrupt.Kind,
            interrupt.Key,
            interrupt.Reason,
            interrupt.TimeoutMs is > 0 and var timeout ? draft.Now.AddMilliseconds(timeout) : null)
        {
            Confidence = interrupt.Kind == InterruptKinds.LowConfidence ? interrupt.Data : null,
        });
    }

    /// <summary>Identity of the interrupt that the event of a sequence asks for.</summary>
    public static string IdOf(RunState state, long requestSequence) => $"int-{state.RunId}-{requestSequence}";

    /// <summary>An answer arrives. Returns why it is refused; then nothing is added.</summary>
    public static ProtocolError? Resolve(Draft draft, string nodeId, Answer answer)
    {
        var node = draft.State.Nodes.GetValueOrDefault(nodeId);
        if (Refusal(draft.State, node, answer) is { } refusal)
            return refusal;

        var open = node!.Interrupt!;
        if (open.Request.ResumeSchema is { } schema && JsonSchemaDocument.CompileCached(schema).Validate(answer.Value) is { Count: > 0 } errors)
            return ProtocolError.Validation($"resumeValue does not satisfy the schema of the interrupt: {errors[0].Path}: {errors[0].Message}", "resumeValue");

        return open.Request.Kind switch
        {
            InterruptKinds.Approval => ApprovalRules.Resolve(draft, nodeId, open, answer),
            InterruptKinds.Clarification => ClarificationRules.Resolve(draft, nodeId, open, answer),
            InterruptKinds.ExternalEvent => ExternalEventRules.Resolve(draft, nodeId, open, answer),
            _ => Settle(draft, nodeId, open, answer.Value, answer.Principal),
        };
    }

    /// <summary>Interrupts whose time is over: never approved, the node fails.</summary>
    public static void TimeOutDue(Draft draft)
    {
        foreach (var (nodeId, node) in draft.State.Nodes)
        {
            if (node.Status != NodeStatus.Suspended || !(node.DueAt <= draft.Now))
                continue;

            var open = node.Interrupt!;
            var value = JsonValues.Object(writer => writer.WriteString("action", "timeout"));
            if (open.Request.Kind == InterruptKinds.Approval)
                draft.Add(new ApprovalReceived(nodeId, "timeout", DecidedBy: null, Voter: null, value));

            if (open.Request.Kind == InterruptKinds.ConversationExchange)
                draft.Add(ConversationTimeOut.Closed(nodeId, node.Iteration, open.Request));

            draft.Add(new InterruptResolved(nodeId, open.Id, open.Request.Kind, value, ResolvedBy: null, Outcome: TimeOut));
            FailTimedOut(draft, nodeId);
        }
    }

    /// <summary>What a time-out leads to: the node fails, unless it has asked to go on with <see cref="TimedOutAnswer"/>.</summary>
    public static void FailTimedOut(Draft draft, string nodeId)
    {
        var open = draft.State.Nodes[nodeId].Interrupt!;
        if (open.Request.Data.StringMember(OnTimeOut) == Resume)
            draft.Add(new NodeResumed(nodeId, open.Id, open.Request.Key, TimedOutAnswer));
        else
            Decisions.AddFailure(draft, nodeId, new NodeError("interrupt_timeout", "The interrupt was not resolved in time."));
    }

    /// <summary>The answer is accepted: the node goes on with it.</summary>
    public static ProtocolError? Settle(Draft draft, string nodeId, OpenInterrupt open, JsonElement value, string? resolvedBy)
    {
        draft.Add(new InterruptResolved(nodeId, open.Id, open.Request.Kind, value, resolvedBy, Outcome: null));
        draft.Add(new NodeResumed(nodeId, open.Id, open.Request.Key, value));
        return null;
    }

    private static ProtocolError? Refusal(RunState state, NodeState? node, Answer answer) => node switch
    {
        null or { Interrupt: null } => NotFound,
        { Interrupt.IsResolved: true } => AlreadyResolved,
        { Status: NodeStatus.Cancelled } when state.IsCancelledByParent =>
            new ProtocolError(ErrorCodes.InterruptGone, "The interrupt is gone: the end of its parent has cancelled the run."),
        { Status: NodeStatus.Cancelled } when answer.ByToken => AlreadyResolved,
        { Status: NodeStatus.Cancelled } => new ProtocolError(ErrorCodes.InterruptCancelled, "The run was cancelled while the interrupt was pending."),
        { Status: not NodeStatus.Suspended } => AlreadyResolved,
        { Interrupt.Request.RequiresCredential: true } when answer.ByToken => new ProtocolError(ErrorCodes.Unauthenticated, "This interrupt can only be resolved with a credential."),
        _ when state.Status == RunStatus.Paused => new ProtocolError(ErrorCodes.RunPaused, "The run is paused.", new() { ["runStatus"] = "paused" }),
        _ => null,
    };

    private static ProtocolError NotFound { get; } = new(ErrorCodes.InterruptNotFound, "The interrupt does not exist.");

    private static ProtocolError AlreadyResolved { get; } = new(ErrorCodes.InterruptAlreadyResolved, "The interrupt has been resolved.");
}
